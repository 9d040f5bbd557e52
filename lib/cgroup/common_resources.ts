/** Settings that v1 and v2 share in all but the name of the file. */

import type { CpuResources, Resources, ThrottleDevice, Wide } from "../spec/types/config.ts";
import { impossible, type Setting } from "./settings.ts";

/** Makes a setting with one file. */
export function setting(
  controller: string,
  file: string,
  value: Wide | string,
  configPath: string,
): Setting {
  return { controller, forms: [{ file, value: String(value) }], configPath };
}

/**
 * pids.max. No container can have fewer processes than its init: a limit of 0 is written as 1,
 * which allows no fork either, and which systemd can hold too.
 */
export function pidsSettings(resources: Resources, prefix: string): Setting[] {
  const limit = resources.pids?.limit;
  if (limit === undefined) return [];
  const value = BigInt(limit) < 0n ? "max" : BigInt(limit) === 0n ? "1" : String(limit);
  return [setting("pids", "pids.max", value, `${prefix}pids.limit`)];
}

/** cpuset.cpus and cpuset.mems. */
export function cpusetSettings(resources: Resources, prefix: string): Setting[] {
  return (["cpus", "mems"] as const).flatMap((name) => {
    const value = resources.cpu?.[name];
    return value ? [setting("cpuset", `cpuset.${name}`, value, `${prefix}cpu.${name}`)] : [];
  });
}

/** rdma.max, the same in v1 and v2. */
export function rdmaSettings(resources: Resources, prefix: string): Setting[] {
  return Object.entries(resources.rdma ?? {}).map(([device, limit]) => {
    const words = [device];
    if (limit.hcaHandles !== undefined) words.push(`hca_handle=${limit.hcaHandles}`);
    if (limit.hcaObjects !== undefined) words.push(`hca_object=${limit.hcaObjects}`);
    return {
      ...setting("rdma", "rdma.max", words.join(" "), `${prefix}rdma[${JSON.stringify(device)}]`),
      line: { key: device, absent: `${device} hca_handle=max hca_object=max` },
    };
  });
}

/**
 * Limits of faults and, where the kernel accounts for them (Linux 5.7), of reservations.
 * `name`: "limit_in_bytes" (v1) or "max" (v2).
 */
export function hugetlbSettings(
  resources: Resources,
  prefix: string,
  name: "limit_in_bytes" | "max",
): Setting[] {
  return (resources.hugepageLimits ?? []).flatMap(({ pageSize, limit }, index) => {
    const path = `${prefix}hugepageLimits[${index}]`;
    if (!/^[1-9][0-9]*[KMG]B$/.test(pageSize)) {
      throw impossible(`${path}.pageSize`, `${JSON.stringify(pageSize)} is no size like "2MB"`);
    }
    const fault = setting("hugetlb", `hugetlb.${pageSize}.${name}`, limit, path);
    const reserved = setting("hugetlb", `hugetlb.${pageSize}.rsvd.${name}`, limit, path);
    return [fault, { ...reserved, optional: true }];
  });
}

/** The four throttles of block devices: name in the configuration, in v1 files, in v2's io.max. */
const THROTTLES = [
  ["throttleReadBpsDevice", "read_bps_device", "rbps"],
  ["throttleWriteBpsDevice", "write_bps_device", "wbps"],
  ["throttleReadIOPSDevice", "read_iops_device", "riops"],
  ["throttleWriteIOPSDevice", "write_iops_device", "wiops"],
] as const;

/** One setting for each entry of the four lists. */
export function throttleSettings(
  resources: Resources,
  prefix: string,
  make: (names: (typeof THROTTLES)[number], device: string, entry: ThrottleDevice) => Setting,
): Setting[] {
  return THROTTLES.flatMap((names) =>
    (resources.blockIO?.[names[0]] ?? []).map((entry, index) => ({
      ...make(names, `${entry.major}:${entry.minor}`, entry),
      configPath: `${prefix}blockIO.${names[0]}[${index}]`,
    }))
  );
}

/** Whether it is to run only when nobody else wants the CPU: shares are without effect then. */
export function isIdle({ idle }: CpuResources): boolean {
  return Number(idle ?? 0) === 1;
}

/** What holds in v1 and v2 alike, and is clearer said here than by the kernel. */
export function checkCpu({ cpu }: Resources, prefix: string): void {
  if (cpu?.quota === undefined || cpu.burst === undefined) return;
  if (BigInt(cpu.quota) > 0n && BigInt(cpu.burst) > BigInt(cpu.quota)) {
    throw impossible(`${prefix}cpu.burst`, `${cpu.burst} is more than cpu.quota, ${cpu.quota}`);
  }
}

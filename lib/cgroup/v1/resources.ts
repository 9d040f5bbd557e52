/** linux.resources as settings of cgroup v1 (Documentation/admin-guide/cgroup-v1 of Linux). */

import type { BlockIoResources, Resources } from "../../spec/types/config.ts";
import {
  checkCpu,
  cpusetSettings,
  hugetlbSettings,
  isIdle,
  pidsSettings,
  rdmaSettings,
  setting,
  throttleSettings,
} from "../common_resources.ts";
import { asked, impossible, type Setting } from "../settings.ts";

/** All settings, in the order to write them. `prefix`: of config paths, `linux.resources.`. */
export function settingsV1(resources: Resources, prefix: string): Setting[] {
  if (Object.keys(resources.unified ?? {}).length > 0) {
    throw impossible(`${prefix}unified`, "it is for cgroup v2, and this host has v1");
  }
  checkCpu(resources, prefix);
  checkMemory(resources, prefix);
  return [
    ...cpusetSettings(resources, prefix),
    ...memory(resources, prefix),
    ...cpu(resources, prefix),
    ...pidsSettings(resources, prefix),
    ...blockIo(resources, prefix),
    ...hugetlbSettings(resources, prefix, "limit_in_bytes"),
    ...network(resources, prefix),
    ...rdmaSettings(resources, prefix),
  ];
}

/** The kernel would name the limit, which is not what is wrong. */
function checkMemory({ memory }: Resources, prefix: string): void {
  const { limit, swap } = memory ?? {};
  if (!asked(limit) || !asked(swap) || BigInt(limit) < 0n || BigInt(swap) < 0n) return;
  if (BigInt(swap) >= BigInt(limit)) return;
  throw impossible(`${prefix}memory.swap`, `${swap} is less than the limit of memory, ${limit}`);
}

const MEMSW = "memory.memsw.limit_in_bytes";

function memory({ memory }: Resources, prefix: string): Setting[] {
  if (memory === undefined) return [];
  const settings: Setting[] = [];
  const add = (name: keyof typeof memory, file: string) => {
    const value = memory[name];
    if (typeof value === "boolean" || !asked(value)) return;
    settings.push(setting("memory", file, value, `${prefix}memory.${name}`));
  };
  add("limit", "memory.limit_in_bytes");
  if (asked(memory.swap)) {
    const swap = setting("memory", MEMSW, memory.swap, `${prefix}memory.swap`);
    // Without accounting of swap nothing limits it.
    settings.push(BigInt(memory.swap) < 0n ? { ...swap, optional: true } : swap);
  } else if (memory.limit !== undefined && BigInt(memory.limit) === -1n) {
    // Memory cannot be unlimited as long as memory and swap together are limited.
    const path = `${prefix}memory.limit`;
    settings.push({ ...setting("memory", MEMSW, "-1", path), optional: true });
  }
  add("reservation", "memory.soft_limit_in_bytes");
  add("kernel", "memory.kmem.limit_in_bytes");
  add("kernelTCP", "memory.kmem.tcp.limit_in_bytes");
  return settings.concat(memoryBehaviour(memory, prefix));
}

function memoryBehaviour(
  memory: NonNullable<Resources["memory"]>,
  prefix: string,
): Setting[] {
  const settings: Setting[] = [];
  const { swappiness, disableOOMKiller } = memory;
  if (swappiness !== undefined) {
    const path = `${prefix}memory.swappiness`;
    if (swappiness > 100) throw impossible(path, `${swappiness} is not from 0 to 100`);
    settings.push(setting("memory", "memory.swappiness", swappiness, path));
  }
  if (disableOOMKiller !== undefined) {
    const value = disableOOMKiller ? "1" : "0";
    const path = `${prefix}memory.disableOOMKiller`;
    settings.push(setting("memory", "memory.oom_control", value, path));
  }
  if (memory.useHierarchy) {
    const path = `${prefix}memory.useHierarchy`;
    settings.push(setting("memory", "memory.use_hierarchy", "1", path));
  }
  return settings;
}

function cpu({ cpu }: Resources, prefix: string): Setting[] {
  if (cpu === undefined) return [];
  const settings: Setting[] = [];
  const add = (name: keyof typeof cpu, file: string, zero = false) => {
    const value = cpu[name];
    if (value === undefined || typeof value === "string" || !(zero || asked(value))) return;
    settings.push(setting("cpu", file, value, `${prefix}cpu.${name}`));
  };
  add("realtimePeriod", "cpu.rt_period_us");
  add("realtimeRuntime", "cpu.rt_runtime_us");
  // An idle group takes no shares.
  if (!isIdle(cpu)) add("shares", "cpu.shares");
  add("period", "cpu.cfs_period_us");
  add("quota", "cpu.cfs_quota_us");
  add("burst", "cpu.cfs_burst_us", true);
  add("idle", "cpu.idle", true);
  return settings;
}

function blockIo(resources: Resources, prefix: string): Setting[] {
  const { blockIO } = resources;
  if (blockIO === undefined) return [];
  return [
    ...weights(blockIO, prefix),
    ...throttleSettings(resources, prefix, ([, name], device, { rate }) => ({
      ...setting("blkio", `blkio.throttle.${name}`, `${device} ${rate}`, ""),
      line: { key: device, absent: `${device} 0` },
    })),
  ];
}

/** The files of CFQ (before Linux 5.0) and of BFQ, which has no weights of leaves. */
function weights(blockIO: BlockIoResources, prefix: string): Setting[] {
  const settings: Setting[] = [];
  const path = `${prefix}blockIO`;
  const add = (names: readonly string[], value: string, path: string, device?: string) => {
    const [first, ...others] = names.map((file) => ({ file: `blkio.${file}`, value }));
    if (first === undefined) return;
    const line = device && { line: { key: device, absent: `${device} 0` } };
    settings.push({ controller: "blkio", forms: [first, ...others], configPath: path, ...line });
  };
  const { weight, leafWeight, weightDevice = [] } = blockIO;
  if (weight) add(["weight", "bfq.weight"], String(weight), `${path}.weight`);
  if (leafWeight) add(["leaf_weight"], String(leafWeight), `${path}.leafWeight`);
  for (const [index, entry] of weightDevice.entries()) {
    const device = `${entry.major}:${entry.minor}`;
    const of = (name: string) => `${path}.weightDevice[${index}].${name}`;
    if (entry.weight) {
      const names = ["weight_device", "bfq.weight_device"];
      add(names, `${device} ${entry.weight}`, of("weight"), device);
    }
    if (entry.leafWeight) {
      add(["leaf_weight_device"], `${device} ${entry.leafWeight}`, of("leafWeight"), device);
    }
  }
  return settings;
}

function network({ network }: Resources, prefix: string): Setting[] {
  const settings: Setting[] = [];
  if (asked(network?.classID)) {
    const path = `${prefix}network.classID`;
    settings.push(setting("net_cls", "net_cls.classid", network.classID, path));
  }
  for (const [index, { name, priority }] of (network?.priorities ?? []).entries()) {
    settings.push({
      ...setting(
        "net_prio",
        "net_prio.ifpriomap",
        `${name} ${priority}`,
        `${prefix}network.priorities[${index}]`,
      ),
      line: { key: name, absent: `${name} 0` },
    });
  }
  return settings;
}

/** linux.resources as settings of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst of Linux). */

import type { MemoryResources, Resources, Wide } from "../../spec/types/config.ts";
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

/** The value of a file of the cgroup as it is now; undefined when there is none. */
export type Current = (file: string) => string | undefined;

/**
 * All settings, in the order to write them. `prefix`: of config paths, `linux.resources.`.
 * Some v1 notions are relative to another value; if the request lacks it, `current` has it.
 */
export function settingsV2(resources: Resources, prefix: string, current: Current): Setting[] {
  refuse(resources, prefix);
  checkCpu(resources, prefix);
  return [
    ...cpusetSettings(resources, prefix),
    ...memory(resources, prefix, current),
    ...cpu(resources, prefix, current),
    ...pidsSettings(resources, prefix),
    ...blockIo(resources, prefix),
    ...hugetlbSettings(resources, prefix, "max"),
    ...rdmaSettings(resources, prefix),
    ...unified(resources, prefix),
  ];
}

/** What only v1 has is an error: dropping it in silence would leave a container without it. */
function refuse({ memory, cpu, blockIO, network }: Resources, prefix: string): void {
  const demands: readonly [string, boolean, string][] = [
    ["memory.kernel", limits(memory?.kernel), "kernel memory counts as memory there"],
    ["memory.kernelTCP", limits(memory?.kernelTCP), "socket buffers count as memory there"],
    ["memory.swappiness", memory?.swappiness !== undefined, "it is one value for the host"],
    ["memory.disableOOMKiller", memory?.disableOOMKiller === true, "use unified memory.high"],
    ["memory.useHierarchy", memory?.useHierarchy === false, "limits always hold for children"],
    ["cpu.realtimeRuntime", asked(cpu?.realtimeRuntime), "realtime is not limited there"],
    ["cpu.realtimePeriod", asked(cpu?.realtimePeriod), "realtime is not limited there"],
    ["blockIO.leafWeight", asked(blockIO?.leafWeight), "leaves have no weight of their own"],
    [
      "blockIO.weightDevice",
      blockIO?.weightDevice?.some((device) => device.leafWeight) === true,
      "leaves have no weight of their own: leave out leafWeight",
    ],
    ["network.classID", asked(network?.classID), "match the cgroup's path by netfilter"],
    ["network.priorities", (network?.priorities ?? []).length > 0, "there is no net_prio"],
  ];
  for (const [name, demanded, hint] of demands) {
    if (demanded) throw impossible(prefix + name, "cgroup v2 has nothing like it", hint);
  }
}

/** -1 is no limit, which can be expressed by doing nothing. */
function limits(value: Wide | undefined): boolean {
  return asked(value) && BigInt(value) !== -1n;
}

function memory({ memory }: Resources, prefix: string, current: Current): Setting[] {
  if (memory === undefined) return [];
  const settings: Setting[] = [];
  const add = (file: string, value: string, name: string, optional = false) => {
    const one = setting("memory", file, value, `${prefix}memory.${name}`);
    settings.push(optional ? { ...one, optional } : one);
  };
  if (asked(memory.limit)) add("memory.max", amount(memory.limit), "limit");
  const swap = swapMax(memory, prefix, current);
  // Where the kernel does not account for swap, there is nothing to lift.
  if (swap !== undefined) add("memory.swap.max", swap, "swap", swap === "max");
  if (asked(memory.reservation)) add("memory.low", amount(memory.reservation), "reservation");
  return settings;
}

function amount(value: Wide): string {
  return BigInt(value) < 0n ? "max" : String(value);
}

/** v1 limits memory and swap together, v2 swap alone: the difference. */
function swapMax(
  { limit, swap }: MemoryResources,
  prefix: string,
  current: Current,
): string | undefined {
  const path = `${prefix}memory.swap`;
  if (!asked(swap)) {
    // As in v1, unlimited memory means unlimited swap.
    return limit !== undefined && BigInt(limit) === -1n ? "max" : undefined;
  }
  if (BigInt(swap) < 0n) return "max";
  const text = asked(limit) ? amount(limit) : current("memory.max") ?? "max";
  if (text === "max") {
    if (asked(limit)) return String(swap);
    throw impossible(
      path,
      "swap is memory and swap together, and there is no limit of memory to subtract",
      "set memory.limit too",
    );
  }
  const rest = BigInt(swap) - BigInt(text);
  if (rest < 0n) throw impossible(path, `${swap} is less than the limit of memory, ${text}`);
  return String(rest);
}

function cpu({ cpu }: Resources, prefix: string, current: Current): Setting[] {
  if (cpu === undefined) return [];
  const settings: Setting[] = [];
  const add = (file: string, value: Wide | string, name: string) =>
    settings.push(setting("cpu", file, value, `${prefix}cpu.${name}`));
  // An idle group takes no weight.
  if (asked(cpu.shares) && !isIdle(cpu)) {
    add("cpu.weight", weightOfShares(Number(cpu.shares)), "shares");
  }
  if (asked(cpu.quota) || asked(cpu.period)) {
    const [quota = "max", period = "100000"] = (current("cpu.max") ?? "").split(" ");
    const first = asked(cpu.quota) ? amount(cpu.quota) : quota || "max";
    const second = asked(cpu.period) ? String(cpu.period) : period;
    add("cpu.max", `${first} ${second}`, asked(cpu.quota) ? "quota" : "period");
  }
  if (cpu.burst !== undefined) add("cpu.max.burst", cpu.burst, "burst");
  if (cpu.idle !== undefined) add("cpu.idle", cpu.idle, "idle");
  return settings;
}

const MIN_SHARES = 2;
const MAX_SHARES = 262144;
const MAX_WEIGHT = 10000;

/**
 * cpu.shares (2 to 262144, default 1024) as cpu.weight (1 to 10000, default 100): the quadratic
 * curve on logarithmic scales through minimum, default and maximum, as runc 1.4 and crun 1.24
 * have it.
 */
export function weightOfShares(shares: number): number {
  if (shares <= MIN_SHARES) return 1;
  if (shares >= MAX_SHARES) return MAX_WEIGHT;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** blockIO.weight (10 to 1000) as io.weight (1 to 10000), linearly. */
export function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

function blockIo(resources: Resources, prefix: string): Setting[] {
  const { blockIO } = resources;
  if (blockIO === undefined) return [];
  const settings: Setting[] = [];
  const addWeight = (key: string, weight: number, name: string, absent: string) =>
    settings.push({
      controller: "io",
      forms: [
        { file: "io.bfq.weight", value: `${key} ${weight}` },
        { file: "io.weight", value: `${key} ${ioWeight(weight)}` },
      ],
      configPath: `${prefix}blockIO.${name}`,
      line: { key, absent },
    });
  if (blockIO.weight) addWeight("default", blockIO.weight, "weight", "default 100");
  for (const [index, { major, minor, weight }] of (blockIO.weightDevice ?? []).entries()) {
    const device = `${major}:${minor}`;
    if (weight) addWeight(device, weight, `weightDevice[${index}].weight`, `${device} default`);
  }
  const throttles = throttleSettings(resources, prefix, ([, , name], device, { rate }) => ({
    // A rate of 0 lifts the limit in v1; v2 has a word for that.
    ...setting("io", "io.max", `${device} ${name}=${BigInt(rate) === 0n ? "max" : rate}`, ""),
    line: { key: device, absent: `${device} rbps=max wbps=max riops=max wiops=max` },
  }));
  return settings.concat(throttles);
}

/** Files by their name; one write for each line of the content. */
function unified({ unified = {} }: Resources, prefix: string): Setting[] {
  return Object.entries(unified).flatMap(([file, content]) => {
    const path = `${prefix}unified[${JSON.stringify(file)}]`;
    const controller = file.slice(0, Math.max(0, file.indexOf(".")));
    if (controller === "" || file.includes("/")) {
      throw impossible(path, "it is not the name of a cgroup file, like memory.high");
    }
    const lines = content.split("\n").filter((line, index) => line !== "" || index === 0);
    return lines.map((line) => setting(controller, file, line || "\n", path));
  });
}

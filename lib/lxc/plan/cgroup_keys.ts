/** Files of cgroup v1 that the specification has words for, and so cgroup v2 as well. */

import type { Wide } from "../../spec/types/config.ts";

/** A value and its place in linux.resources; or what is wrong with it. */
type Converted =
  | {
    readonly part: string;
    readonly field: string;
    readonly value: unknown;
    /** It is one of a list. */
    readonly each: boolean;
  }
  | { readonly fault: string };

type Read = (text: string) => unknown;

/** What a file is in the specification: its part, its field there, and how its value is read. */
const FILES: Readonly<Record<string, readonly [part: string, field: string, read: Read]>> = {
  "memory.limit_in_bytes": ["memory", "limit", bytes],
  "memory.memsw.limit_in_bytes": ["memory", "swap", bytes],
  "memory.soft_limit_in_bytes": ["memory", "reservation", bytes],
  "memory.kmem.limit_in_bytes": ["memory", "kernel", bytes],
  "memory.kmem.tcp.limit_in_bytes": ["memory", "kernelTCP", bytes],
  "memory.swappiness": ["memory", "swappiness", integer],
  "memory.oom_control": ["memory", "disableOOMKiller", (text) => BITS[text]],
  "memory.use_hierarchy": ["memory", "useHierarchy", (text) => BITS[text]],
  "cpu.shares": ["cpu", "shares", integer],
  "cpu.cfs_quota_us": ["cpu", "quota", integer],
  "cpu.cfs_period_us": ["cpu", "period", integer],
  "cpu.cfs_burst_us": ["cpu", "burst", integer],
  "cpu.rt_runtime_us": ["cpu", "realtimeRuntime", integer],
  "cpu.rt_period_us": ["cpu", "realtimePeriod", integer],
  "cpuset.cpus": ["cpu", "cpus", numbers],
  "cpuset.mems": ["cpu", "mems", numbers],
  "pids.max": ["pids", "limit", (text) => text === "max" ? -1 : integer(text)],
  "blkio.weight": ["blockIO", "weight", integer],
  "blkio.leaf_weight": ["blockIO", "leafWeight", integer],
  "net_cls.classid": ["network", "classID", integer],
};

const BITS: Readonly<Record<string, boolean>> = { 0: false, 1: true };

/** Files with one line for each device or interface. */
const LISTS: Readonly<Record<string, readonly [part: string, field: string, read: Read]>> = {
  "blkio.weight_device": ["blockIO", "weightDevice", device("weight")],
  "blkio.throttle.read_bps_device": ["blockIO", "throttleReadBpsDevice", device("rate")],
  "blkio.throttle.write_bps_device": ["blockIO", "throttleWriteBpsDevice", device("rate")],
  "blkio.throttle.read_iops_device": ["blockIO", "throttleReadIOPSDevice", device("rate")],
  "blkio.throttle.write_iops_device": ["blockIO", "throttleWriteIOPSDevice", device("rate")],
  "net_prio.ifpriomap": ["network", "priorities", priority],
};

/** Files whose meaning version 2 does not have, and why. */
export const V1_ONLY: Readonly<Record<string, string>> = {
  "memory.kmem.limit_in_bytes": "kernel memory counts as memory there",
  "memory.kmem.tcp.limit_in_bytes": "socket buffers count as memory there",
  "memory.swappiness": "it is one value for the host",
  "memory.oom_control": "lxc.cgroup2.memory.high comes nearest",
  "memory.use_hierarchy": "limits always hold for children",
  "memory.move_charge_at_immigrate": "memory stays where it was charged",
  "cpu.rt_runtime_us": "realtime is not limited there",
  "cpu.rt_period_us": "realtime is not limited there",
  "blkio.leaf_weight": "leaves have no weight of their own",
  "net_cls.classid": "netfilter matches the path of the cgroup",
  "net_prio.ifpriomap": "there is no net_prio",
  "freezer.state": "a container is frozen when it runs",
};

/** Controllers that have another name on version 2. */
export const OTHERWISE_ON_V2: Readonly<Record<string, string>> = { blkio: "io", cpuacct: "cpu" };

/** What one file and its value are; undefined where the specification has no word for it. */
export function convert(file: string, text: string): Converted | undefined {
  const each = Object.hasOwn(LISTS, file);
  const known = each ? LISTS[file] : Object.hasOwn(FILES, file) ? FILES[file] : undefined;
  if (known !== undefined) {
    const [part, field, read] = known;
    const value = read(text);
    return value === undefined ? { fault: `is no value of ${file}` } : { part, field, value, each };
  }
  const pages = /^hugetlb\.([1-9]\d*[KMG]B)\.limit_in_bytes$/.exec(file);
  if (pages === null) return undefined;
  const limit = bytes(text);
  if (limit === undefined) return { fault: "is not a size" };
  return { part: "hugepageLimits", field: "", value: { pageSize: pages[1], limit }, each: true };
}

/** As memparse of the kernel has it: a number, and K, M, G or T. */
function bytes(text: string): Wide | undefined {
  const match = /^(-1|\d{1,19})([kmgt]?)$/i.exec(text);
  if (match === null) return undefined;
  const shift = match[2] === "" ? 0 : 10 * (" kmgt".indexOf(match[2]!.toLowerCase()));
  return narrow(BigInt(match[1]!) << BigInt(shift));
}

function narrow(value: bigint): Wide {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function integer(text: string): Wide | undefined {
  return /^(?:-?\d{1,18}|0x[\da-f]{1,8})$/i.test(text) ? narrow(BigInt(text)) : undefined;
}

/** `0-3,7` */
function numbers(text: string): string | undefined {
  return /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text) ? text : undefined;
}

/** `8:0 1048576` */
function device(field: "weight" | "rate"): Read {
  return (text) => {
    const match = /^(\d{1,4}):(\d{1,7})\s+(\d{1,18})$/.exec(text);
    if (match === null) return undefined;
    const [major, minor, value] = match.slice(1).map(Number) as [number, number, number];
    return { major, minor, [field]: value };
  };
}

/** `eth0 5` */
function priority(text: string): unknown {
  const match = /^(\S{1,15})\s+(\d{1,9})$/.exec(text);
  return match === null ? undefined : { name: match[1], priority: Number(match[2]) };
}

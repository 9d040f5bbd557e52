/** What a container uses, as containerd's metrics have it (github.com/containerd/cgroups, stats and cgroup2/stats). */

import type { CgroupRecord } from "../cgroup/manager.ts";
import { oomKills } from "../cgroup/oom_kills.ts";
import { readStats, type Stats } from "../cgroup/stats/read.ts";
import { readFile } from "../base/files.ts";
import type { Wide } from "../spec/types/config.ts";
import { type Encodable, encodeMessage, type Message } from "../wire/protobuf.ts";

const ENTRY = {
  limit: [1, "uint64"],
  usage: [2, "uint64"],
  max: [3, "uint64"],
  failcnt: [4, "uint64"],
} as const satisfies Message;
const HUGETLB = {
  usage: [1, "uint64"],
  max: [2, "uint64"],
  failcnt: [3, "uint64"],
  pagesize: [4, "string"],
} as const satisfies Message;
const PIDS = { current: [1, "uint64"], limit: [2, "uint64"] } as const satisfies Message;
const BLKIO_ENTRY = {
  op: [1, "string"],
  device: [2, "string"],
  major: [3, "uint64"],
  minor: [4, "uint64"],
  value: [5, "uint64"],
} as const satisfies Message;

const V1 = {
  hugetlb: [1, HUGETLB, "repeated"],
  pids: [2, PIDS],
  cpu: [3, {
    usage: [1, {
      total: [1, "uint64"],
      kernel: [2, "uint64"],
      user: [3, "uint64"],
      per_cpu: [4, "uint64", "repeated"],
    }],
    throttling: [2, {
      periods: [1, "uint64"],
      throttled_periods: [2, "uint64"],
      throttled_time: [3, "uint64"],
    }],
  }],
  memory: [4, {
    ...numbered([
      ...["cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout"],
      ...["pgfault", "pgmajfault", "inactive_anon", "active_anon", "inactive_file", "active_file"],
      ...["unevictable", "hierarchical_memory_limit", "hierarchical_memsw_limit", "total_cache"],
      ...["total_rss", "total_rss_huge", "total_mapped_file", "total_dirty", "total_writeback"],
      ...["total_pgpgin", "total_pgpgout", "total_pgfault", "total_pgmajfault"],
      ...["total_inactive_anon", "total_active_anon", "total_inactive_file"],
      ...["total_active_file", "total_unevictable"],
    ]),
    usage: [33, ENTRY],
    swap: [34, ENTRY],
    kernel: [35, ENTRY],
    kernel_tcp: [36, ENTRY],
  }],
  blkio: [5, {
    ioServiceBytesRecursive: [1, BLKIO_ENTRY, "repeated"],
    ioServicedRecursive: [2, BLKIO_ENTRY, "repeated"],
    ioQueueRecursive: [3, BLKIO_ENTRY, "repeated"],
    ioServiceTimeRecursive: [4, BLKIO_ENTRY, "repeated"],
    ioWaitTimeRecursive: [5, BLKIO_ENTRY, "repeated"],
    ioMergedRecursive: [6, BLKIO_ENTRY, "repeated"],
    ioTimeRecursive: [7, BLKIO_ENTRY, "repeated"],
    sectorsRecursive: [8, BLKIO_ENTRY, "repeated"],
  }],
  memory_oom_control: [9, {
    oom_kill_disable: [1, "uint64"],
    under_oom: [2, "uint64"],
    oom_kill: [3, "uint64"],
  }],
} as const satisfies Message;

const CPU_V2 = numbered([
  ...["usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec"],
]);
const MEMORY_V2 = numbered([
  ...["anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty"],
  ...["file_writeback", "anon_thp", "inactive_anon", "active_anon", "inactive_file"],
  ...["active_file", "unevictable", "slab_reclaimable", "slab_unreclaimable", "pgfault"],
  ...["pgmajfault", "workingset_refault", "workingset_activate", "workingset_nodereclaim"],
  ...["pgrefill", "pgscan", "pgsteal", "pgactivate", "pgdeactivate", "pglazyfree"],
  ...["pglazyfreed", "thp_fault_alloc", "thp_collapse_alloc", "usage", "usage_limit"],
  ...["swap_usage", "swap_limit", "max_usage", "swap_max_usage"],
]);
const EVENTS_V2 = numbered(["low", "high", "max", "oom", "oom_kill", "oom_group_kill"]);
const IO_V2 = {
  major: [1, "uint64"],
  minor: [2, "uint64"],
  rbytes: [3, "uint64"],
  wbytes: [4, "uint64"],
  rios: [5, "uint64"],
  wios: [6, "uint64"],
} as const satisfies Message;
const HUGETLB_V2 = {
  current: [1, "uint64"],
  max: [2, "uint64"],
  pagesize: [3, "string"],
} as const satisfies Message;
const V2 = {
  pids: [1, PIDS],
  cpu: [2, CPU_V2],
  memory: [4, MEMORY_V2],
  io: [6, { usage: [1, IO_V2, "repeated"] }],
  hugetlb: [7, HUGETLB_V2, "repeated"],
  memory_events: [8, EVENTS_V2],
} as const satisfies Message;

/** Whole numbers, by their place from 1 on. */
function numbered(names: readonly string[]): Record<string, readonly [number, "uint64"]> {
  return Object.fromEntries(names.map((name, index) => [name, [index + 1, "uint64"] as const]));
}

/** The metrics of a cgroup, with the name of their type. */
export async function metrics(
  cgroup: CgroupRecord,
): Promise<{ type_url: string; value: Uint8Array }> {
  const stats = await readStats(cgroup);
  const unified = cgroup.paths[""];
  if (Object.keys(cgroup.paths).length === 1 && unified !== undefined) {
    return {
      type_url: "io.containerd.cgroups.v2.Metrics",
      value: encodeMessage(V2, ofV2(stats, unified)),
    };
  }
  return {
    type_url: "io.containerd.cgroups.v1.Metrics",
    value: encodeMessage(V1, ofV1(stats, cgroup)),
  };
}

/** As 64 bits without a sign; what has no limit is the largest. */
function big(value: Wide | undefined): bigint {
  return BigInt.asUintN(64, BigInt(value ?? 0));
}

type Numbers = Readonly<Record<string, Wide | undefined>>;

function bigs(values: Numbers, names: Readonly<Record<string, unknown>>): Record<string, bigint> {
  const known = Object.keys(names).filter((name) => values[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, big(values[name])]));
}

function entry(values: Stats["memory"]["usage"]): Encodable<typeof ENTRY> {
  return bigs({ ...values }, ENTRY);
}

function ofV1(stats: Stats, cgroup: CgroupRecord): Encodable<typeof V1> {
  const { cpu, memory, blkio } = stats;
  const lists = Object.entries(blkio).filter(([, list]) => Array.isArray(list)).map(
    ([name, list]) => [name, (list as readonly Numbers[]).map(ofDevice)],
  );
  const raw = memory.raw ?? {};
  const control = flat(`${cgroup.paths["memory"]}/memory.oom_control`);
  return {
    hugetlb: Object.entries(stats.hugetlb).map(([pagesize, use]) => ({
      pagesize,
      ...bigs({ ...use }, HUGETLB),
    })),
    pids: bigs(stats.pids, PIDS),
    cpu: {
      usage: {
        total: big(cpu.usage.total),
        kernel: big(cpu.usage.kernel),
        user: big(cpu.usage.user),
        per_cpu: (cpu.usage.percpu ?? []).map(big),
      },
      throttling: {
        periods: big(cpu.throttling.periods),
        throttled_periods: big(cpu.throttling.throttledPeriods),
        throttled_time: big(cpu.throttling.throttledTime),
      },
    },
    memory: {
      ...bigs(raw, V1.memory[1]),
      usage: entry(memory.usage),
      swap: entry(memory.swap),
      kernel: entry(memory.kernel),
      kernel_tcp: entry(memory.kernelTCP),
    },
    blkio: Object.fromEntries(lists),
    memory_oom_control: {
      ...bigs(control, { oom_kill_disable: 1, under_oom: 1 }),
      oom_kill: BigInt(oomKills(cgroup)),
    },
  };
}

function ofDevice(one: Numbers): Encodable<typeof BLKIO_ENTRY> {
  const { op, major, minor, value } = one as { op?: string } & Numbers;
  return { op: op ?? "", device: "", major: big(major), minor: big(minor), value: big(value) };
}

function ofV2(stats: Stats, directory: string): Encodable<typeof V2> {
  const number = (name: string) => flatNumber(readFile(`${directory}/${name}`));
  const memory = {
    ...flat(`${directory}/memory.stat`),
    usage: number("memory.current"),
    usage_limit: number("memory.max"),
    swap_usage: number("memory.swap.current"),
    swap_limit: number("memory.swap.max"),
    max_usage: number("memory.peak"),
    swap_max_usage: number("memory.swap.peak"),
  };
  return {
    pids: bigs(stats.pids, PIDS),
    cpu: bigs(flat(`${directory}/cpu.stat`), CPU_V2),
    memory: bigs(memory, MEMORY_V2),
    io: { usage: ioOf(readFile(`${directory}/io.stat`) ?? "") },
    hugetlb: Object.entries(stats.hugetlb).map(([pagesize, { usage, max }]) => ({
      pagesize,
      current: big(usage),
      max: big(max),
    })),
    memory_events: bigs(flat(`${directory}/memory.events`), EVENTS_V2),
  };
}

/** Lines `MAJOR:MINOR rbytes=1 …`. */
function ioOf(text: string): Encodable<typeof IO_V2>[] {
  return text.split("\n").flatMap((line) => {
    const [, major, minor, rest = ""] = /^(\d+):(\d+) (.*)$/.exec(line) ?? [];
    if (major === undefined || minor === undefined) return [];
    const values = Object.fromEntries(
      [...rest.matchAll(/(\w+)=(\d+)/g)].map(([, name, value]) => [name!, BigInt(value!)]),
    );
    return [{ major: BigInt(major), minor: BigInt(minor), ...bigs(values, IO_V2) }];
  });
}

/** A file of lines `NAME NUMBER`. */
function flat(file: string): Record<string, Wide> {
  const pairs = (readFile(file) ?? "").split("\n").map((line) => line.split(" "));
  return Object.fromEntries(
    pairs.filter(([, value]) => value !== undefined && /^\d+$/.test(value))
      .map(([name, value]) => [name!, BigInt(value!)]),
  );
}

function flatNumber(text: string | undefined): Wide | undefined {
  const value = text?.trim();
  if (value === "max") return 2n ** 64n - 1n;
  return value !== undefined && /^\d+$/.test(value) ? BigInt(value) : undefined;
}

/** Statistics from cgroup v1 files. */

import { parseList } from "../../base/numbers.ts";
import { statFile } from "../../base/files.ts";
import { readFile } from "../files.ts";
import { hugePageSizes, numberIn, sparse, tableIn, times, toWide } from "./parse.ts";
import type {
  BlkioEntry,
  BlkioStats,
  CpusetStats,
  CpuStats,
  HugetlbStats,
  MemoryEntry,
  MemoryStats,
  Stats,
} from "./types.ts";
import { hugetlbV2, pidsUse } from "./v2.ts";

type Paths = Readonly<Record<string, string>>;

/** ns in one tick of cpuacct.stat: USER_HZ is 100 on every architecture that Deno runs on. */
const TICK = 10_000_000;

export function statsV1(paths: Paths): Stats {
  return {
    cpu: cpu(paths),
    cpuset: cpuset(paths["cpuset"]),
    memory: memory(paths["memory"]),
    pids: pidsUse(paths["pids"]),
    blkio: blkio(paths["blkio"]),
    hugetlb: paths["hugetlb"] === undefined ? hugetlbV2(paths[""]) : hugetlbV1(paths["hugetlb"]),
    intel_rdt: {},
    network_interfaces: null,
  };
}

function cpu(paths: Paths): CpuStats {
  const throttled = tableIn(paths["cpu"], "cpu.stat");
  const directory = paths["cpuacct"];
  const ticks = tableIn(directory, "cpuacct.stat");
  const words = textIn(directory, "cpuacct.usage_percpu").split(" ");
  // Columns cpu, user, system; the first line names them.
  const columns = textIn(directory, "cpuacct.usage_all").split("\n").slice(1)
    .map((line) => line.split(" "));
  return {
    usage: {
      ...sparse({
        total: numberIn(directory, "cpuacct.usage"),
        percpu: words.filter((word) => word !== "").map(toWide),
        percpu_kernel: columns.map(([, , system]) => toWide(system)),
        percpu_user: columns.map(([, user]) => toWide(user)),
      }),
      kernel: times(ticks["system"], TICK),
      user: times(ticks["user"], TICK),
    },
    throttling: sparse({
      periods: throttled["nr_periods"] ?? 0,
      throttledPeriods: throttled["nr_throttled"] ?? 0,
      throttledTime: throttled["throttled_time"] ?? 0,
    }),
  };
}

/** A file's text; "" when it is absent. */
function textIn(directory: string | undefined, name: string): string {
  return (directory === undefined ? undefined : readFile(`${directory}/${name}`)) ?? "";
}

function cpuset(directory: string | undefined): CpusetStats {
  const number = (name: string) => Number(numberIn(directory, `cpuset.${name}`));
  const list = (name: string) => parseList(textIn(directory, `cpuset.${name}`));
  return {
    ...sparse({ cpus: list("cpus"), mems: list("mems") }),
    cpu_exclusive: number("cpu_exclusive"),
    mem_hardwall: number("mem_hardwall"),
    mem_exclusive: number("mem_exclusive"),
    memory_migrate: number("memory_migrate"),
    memory_spread_page: number("memory_spread_page"),
    memory_spread_slab: number("memory_spread_slab"),
    memory_pressure: number("memory_pressure"),
    sched_load_balance: number("sched_load_balance"),
    sched_relax_domain_level: number("sched_relax_domain_level"),
  };
}

function memory(directory: string | undefined): MemoryStats {
  const entry = (kind: string): MemoryEntry => ({
    limit: numberIn(directory, `memory.${kind}limit_in_bytes`),
    ...sparse({
      usage: numberIn(directory, `memory.${kind}usage_in_bytes`),
      max: numberIn(directory, `memory.${kind}max_usage_in_bytes`),
    }),
    failcnt: numberIn(directory, `memory.${kind}failcnt`),
  });
  const raw = tableIn(directory, "memory.stat");
  return {
    ...sparse({ cache: raw["cache"] ?? 0 }),
    usage: entry(""),
    swap: entry("memsw."),
    kernel: entry("kmem."),
    kernelTCP: entry("kmem.tcp."),
    raw,
  };
}

const FILES = {
  ioServiceBytesRecursive: "io_service_bytes_recursive",
  ioServicedRecursive: "io_serviced_recursive",
  ioQueueRecursive: "io_queued_recursive",
  ioServiceTimeRecursive: "io_service_time_recursive",
  ioWaitTimeRecursive: "io_wait_time_recursive",
  ioMergedRecursive: "io_merged_recursive",
  ioTimeRecursive: "time_recursive",
  sectorsRecursive: "sectors_recursive",
} as const;

/** The I/O scheduler that serves the disks keeps the most; throttling always keeps some. */
function blkio(directory: string | undefined): BlkioStats {
  if (directory === undefined) return {};
  for (const family of ["blkio.bfq.", "blkio.", "blkio.throttle."]) {
    const [bytes] = Object.values(FILES);
    if (statFile(`${directory}/${family}${bytes}`) === undefined) continue; // the kernel has none of its files
    const lists = Object.entries(FILES).map(([key, file]) =>
      [key, parseBlkio(readFile(`${directory}/${family}${file}`))] as const
    );
    const filled = lists.filter(([, entries]) => entries.length > 0);
    if (filled.length > 0) return Object.fromEntries(filled);
  }
  return {};
}

/** Lines `8:0 Read 4096` or `8:0 4096`; the last, `Total N`, is about no device. */
export function parseBlkio(text: string | undefined): BlkioEntry[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const [device = "", ...rest] = line.split(" ");
    const [major, minor] = device.split(":").map(Number);
    const value = toWide(rest.pop());
    if (minor === undefined) return [];
    const [op] = rest;
    return [sparse({ major, minor, op, value }) as BlkioEntry];
  });
}

function hugetlbV1(directory: string): Record<string, HugetlbStats> {
  const sizes = hugePageSizes().map((size) => {
    const number = (name: string) => numberIn(directory, `hugetlb.${size}.${name}`);
    const usage = sparse({
      usage: number("usage_in_bytes"),
      max: number("max_usage_in_bytes"),
    });
    return [size, { ...usage, failcnt: number("failcnt") }] as const;
  });
  return Object.fromEntries(sizes);
}

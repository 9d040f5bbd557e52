/** Statistics from cgroup v2 files, in the terms of v1. */

import { parseList } from "../../base/numbers.ts";
import { readFile } from "../files.ts";
import {
  hugePageSizes,
  numberIn,
  plus,
  pressureIn,
  sparse,
  tableIn,
  times,
  toWide,
} from "./parse.ts";
import type {
  BlkioEntry,
  BlkioStats,
  CpusetStats,
  CpuStats,
  HugetlbStats,
  MemoryStats,
  Pressure,
  Stats,
} from "./types.ts";

/** ns in the µs that v2 counts in. */
const MICROSECOND = 1000;

export function statsV2(directory: string): Stats {
  return {
    cpu: cpu(directory),
    cpuset: cpuset(directory),
    memory: memory(directory),
    pids: pidsUse(directory),
    blkio: blkio(directory),
    hugetlb: hugetlbV2(directory),
    intel_rdt: {},
    network_interfaces: null,
  };
}

function psi(directory: string, name: string): { psi?: Pressure } {
  const pressure = pressureIn(directory, name);
  return pressure === undefined ? {} : { psi: pressure };
}

function cpu(directory: string): CpuStats {
  const stat = tableIn(directory, "cpu.stat");
  return {
    usage: {
      ...sparse({ total: times(stat["usage_usec"], MICROSECOND) }),
      kernel: times(stat["system_usec"], MICROSECOND),
      user: times(stat["user_usec"], MICROSECOND),
    },
    throttling: sparse({
      periods: stat["nr_periods"] ?? 0,
      throttledPeriods: stat["nr_throttled"] ?? 0,
      throttledTime: times(stat["throttled_usec"], MICROSECOND),
    }),
    ...psi(directory, "cpu.pressure"),
  };
}

function cpuset(directory: string): CpusetStats {
  const list = (name: string) => parseList(readFile(`${directory}/cpuset.${name}.effective`) ?? "");
  return {
    ...sparse({ cpus: list("cpus"), mems: list("mems") }),
    cpu_exclusive: 0,
    mem_hardwall: 0,
    mem_exclusive: 0,
    memory_migrate: 0,
    memory_spread_page: 0,
    memory_spread_slab: 0,
    memory_pressure: 0,
    sched_load_balance: 0,
    sched_relax_domain_level: 0,
  };
}

function memory(directory: string): MemoryStats {
  const raw = tableIn(directory, "memory.stat");
  const number = (name: string) => numberIn(directory, `memory.${name}`);
  const [limit, usage, max] = [number("max"), number("current"), number("peak")];
  const none = { limit: 0, failcnt: 0 };
  return {
    ...sparse({ cache: raw["file"] ?? 0 }),
    usage: { limit, ...sparse({ usage, max }), failcnt: 0 },
    swap: {
      limit: plus(number("swap.max"), limit),
      ...sparse({
        usage: plus(number("swap.current"), usage),
        max: plus(number("swap.peak"), max),
      }),
      failcnt: 0,
    },
    kernel: none,
    kernelTCP: none,
    raw,
    ...psi(directory, "memory.pressure"),
  };
}

/** The same files on v1. */
export function pidsUse(directory: string | undefined): Stats["pids"] {
  const limit = numberIn(directory, "pids.max");
  return sparse({
    current: numberIn(directory, "pids.current"),
    // No limit is told as 0.
    limit: typeof limit === "bigint" ? 0 : limit,
  });
}

const BYTES: Readonly<Record<string, string>> = {
  rbytes: "Read",
  wbytes: "Write",
  dbytes: "Discard",
};
const COUNTS: Readonly<Record<string, string>> = { rios: "Read", wios: "Write", dios: "Discard" };

function blkio(directory: string): BlkioStats {
  const { bytes, counts } = parseIoStat(readFile(`${directory}/io.stat`));
  return {
    ...(bytes.length > 0 && { ioServiceBytesRecursive: bytes }),
    ...(counts.length > 0 && { ioServicedRecursive: counts }),
    ...psi(directory, "io.pressure"),
  };
}

/** Lines `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
export function parseIoStat(
  text: string | undefined,
): { bytes: BlkioEntry[]; counts: BlkioEntry[] } {
  const bytes: BlkioEntry[] = [];
  const counts: BlkioEntry[] = [];
  for (const line of (text ?? "").split("\n")) {
    const [device = "", ...words] = line.split(" ");
    const [major, minor] = device.split(":").map(Number);
    if (minor === undefined) continue;
    for (const word of words) {
      const [key = "", text] = word.split("=");
      const op = BYTES[key] ?? COUNTS[key];
      const list = key in BYTES ? bytes : counts;
      if (op) list.push(sparse({ major, minor, op, value: toWide(text) }) as BlkioEntry);
    }
  }
  return { bytes, counts };
}

/** By page size; none when the controller is not enabled. */
export function hugetlbV2(directory: string | undefined): Record<string, HugetlbStats> {
  const found: Record<string, HugetlbStats> = {};
  if (directory === undefined || readFile(`${directory}/cgroup.type`) === undefined) return found;
  for (const size of hugePageSizes()) {
    const file = `hugetlb.${size}`;
    if (readFile(`${directory}/${file}.current`) === undefined) continue;
    const failcnt = tableIn(directory, `${file}.events`)["max"] ?? 0;
    found[size] = { ...sparse({ usage: numberIn(directory, `${file}.current`) }), failcnt };
  }
  return found;
}

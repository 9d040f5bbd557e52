/** `lxc top`: what the containers of a directory use. */

import { readStats } from "../cgroup/stats/read.ts";
import { totalsOf } from "../cgroup/stats/totals.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { recordedCgroup } from "../state/cgroup.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { sizeText } from "./life/facts.ts";
import { systemId } from "./life/record.ts";
import { systemNow } from "./life/state.ts";
import { containerNames, volatileNames } from "./list.ts";

/** One container at one time. Times in ns, sizes in bytes. */
export interface TopRow {
  readonly name: string;
  readonly cpu: number;
  readonly system: number;
  readonly user: number;
  readonly io: number;
  readonly read: number;
  readonly written: number;
  readonly ios: number;
  readonly memory: number;
  /** With what is swapped out. */
  readonly swap: number;
  readonly kernel: number;
}

/** What rows are sorted by, by the letters that LXC has for them. */
export const SORTS = {
  n: "name",
  c: "cpu",
  b: "io",
  m: "memory",
  s: "swap",
  k: "kernel",
} as const;
export type Sort = keyof typeof SORTS;

/** The containers that run, as they are now. */
export async function topRows(runtime: Runtime, lxcpath: string): Promise<TopRow[]> {
  const names = [...containerNames(lxcpath), ...volatileNames(runtime, lxcpath)];
  const rows = names.map(async (name) => {
    const id = systemId(runtime, lxcpath, name);
    if (systemNow(runtime, id).pid === undefined) return [];
    try {
      return [await rowOf(runtime, id, name)];
    } catch {
      return []; // it has ended meanwhile
    }
  });
  return (await Promise.all(rows)).flat();
}

async function rowOf(runtime: Runtime, id: string, name: string): Promise<TopRow> {
  const { status } = inspect(new StateDirectory(runtime, id));
  const totals = totalsOf(await readStats(recordedCgroup(runtime, status)));
  const { cpuTime = 0, memory = 0, memoryAndSwap = memory, kernelMemory = 0 } = totals;
  return {
    name,
    ...{ cpu: cpuTime, system: totals.cpuKernel, user: totals.cpuUser },
    ...{ io: totals.transferred, read: totals.read, written: totals.written },
    ios: totals.operations,
    ...{ memory, swap: memoryAndSwap, kernel: kernelMemory },
  };
}

/** Names from the first one, numbers from the greatest; `reverse`: the other way round. */
export function sortedRows(rows: readonly TopRow[], sort: Sort, reverse: boolean): TopRow[] {
  const key = SORTS[sort];
  const sorted = rows.toSorted((a, b) =>
    key === "name" ? (a.name < b.name ? -1 : 1) : b[key] - a[key]
  );
  return reverse ? sorted.toReversed() : sorted;
}

const NS_PER_SECOND = 1e9;
/** A second in the units of USER_HZ (times(2)). */
const USER_HZ = 100;

/** The first line of a file of numbers. */
export const BATCH_HEADING = "time_ms,container,cpu_nanos,cpu_sys_userhz,cpu_user_userhz," +
  "blkio_bytes,blkio_iops,mem_used_bytes,memsw_used_bytes,kernel_mem_used_bytes\n";

/** A line for each container. `time`: ms since 1970. */
export function batchLines(rows: readonly TopRow[], time: number): string {
  const ticks = (ns: number) => Math.round(ns / NS_PER_SECOND * USER_HZ);
  return rows.map((row) =>
    [
      ...[time, row.name, row.cpu, ticks(row.system), ticks(row.user), row.io, row.ios],
      ...[row.memory, row.swap, row.kernel],
    ].join(",") + "\n"
  ).join("");
}

const COLUMNS: readonly (readonly [heading: string, below: string, width: number])[] = [
  ["Container", "Name", -20],
  ["CPU", "Used", 12],
  ["CPU", "Sys", 12],
  ["CPU", "User", 12],
  ["BlkIO", "Total(Read/Write)", 36],
  ["Mem", "Used", 11],
  ["MemSw", "Used", 11],
  ["KMem", "Used", 11],
];

/** A screen of so many lines: a heading, the containers that there is room for, and their sum. */
export function screenText(rows: readonly TopRow[], lines: number): string {
  const shown = rows.slice(0, Math.max(0, lines - 3));
  const heading = [0, 1].map((part) => lineOf(COLUMNS.map((column) => String(column[part]))));
  const total = { ...sumRow(rows), name: `TOTAL ${shown.length} of ${rows.length}` };
  return [...heading, ...[...shown, total].map((row) => lineOf(cellsOf(row)))].join("\n");
}

function lineOf(cells: readonly string[]): string {
  return cells.map((cell, index) => {
    const width = COLUMNS[index]![2];
    return width < 0 ? cell.slice(0, -width).padEnd(-width) : cell.padStart(width);
  }).join(" ");
}

function cellsOf(row: TopRow): string[] {
  const seconds = (ns: number) => (ns / NS_PER_SECOND).toFixed(2);
  const io = `${sizeText(row.io)}(${sizeText(row.read)}/${sizeText(row.written)})`;
  return [
    ...[row.name, seconds(row.cpu), seconds(row.system), seconds(row.user), io],
    ...[row.memory, row.swap, row.kernel].map(sizeText),
  ];
}

function sumRow(rows: readonly TopRow[]): TopRow {
  const sum = (key: Exclude<keyof TopRow, "name">) =>
    rows.reduce((total, row) => total + row[key], 0);
  return {
    name: "",
    ...{ cpu: sum("cpu"), system: sum("system"), user: sum("user") },
    ...{ io: sum("io"), read: sum("read"), written: sum("written"), ios: sum("ios") },
    ...{ memory: sum("memory"), swap: sum("swap"), kernel: sum("kernel") },
  };
}

/** Statistics to be read by people: `events --format line` and `table`. */

import type { Stats } from "../cgroup/stats/types.ts";
import { formatSize } from "./size.ts";

/** One reading of a container's use. */
export interface Sample {
  readonly stats: Stats;
  /** When it was taken, in ms of a clock that is never set back (`performance.now`). */
  readonly time: number;
}

/** Limits at or above this are none: the kernel's word for "max" on v1, rounded to pages. */
const UNLIMITED = 2 ** 62;

/** `cpu 12.5 %  memory 3.2 MiB of 512 MiB  pids 4 of 100  read 1.0 MiB  written 0 B` */
export function statsLine(now: Sample, before?: Sample): string {
  return rows(now, before).map(([name, value]) => `${name} ${value}`).join("  ");
}

/** The same, a row each. */
export function statsTable(now: Sample, before?: Sample): string {
  return rows(now, before).map(([name, value]) => `${name.padEnd(10)}${value}\n`).join("");
}

function rows(now: Sample, before: Sample | undefined): [name: string, value: string][] {
  const { memory, pids } = now.stats;
  return [
    ["cpu", before === undefined ? cpuTime(now) : cpuShare(now, before)],
    ["memory", ofLimit(memory.usage.usage, memory.usage.limit, formatSize)],
    ["pids", ofLimit(pids.current, pids.limit, String)],
    ["read", formatSize(transferred(now.stats, "read"))],
    ["written", formatSize(transferred(now.stats, "write"))],
  ];
}

function cpuTime({ stats }: Sample): string {
  return `${(Number(stats.cpu.usage.total ?? 0) / 1e9).toFixed(2)} s`;
}

/** 100 % is one processor. */
function cpuShare(now: Sample, before: Sample): string {
  const total = ({ stats }: Sample) => Number(stats.cpu.usage.total ?? 0) / 1e6;
  const elapsed = Math.max(1, now.time - before.time);
  return `${(100 * Math.max(0, total(now) - total(before)) / elapsed).toFixed(1)} %`;
}

function ofLimit(
  used: number | bigint | undefined,
  limit: number | bigint | undefined,
  format: (value: number | bigint) => string,
): string {
  const text = format(used ?? 0);
  const most = Number(limit ?? 0);
  return most > 0 && most < UNLIMITED ? `${text} of ${format(most)}` : text;
}

function transferred({ blkio }: Stats, kind: "read" | "write"): number {
  return (blkio.ioServiceBytesRecursive ?? [])
    .filter(({ op }) => op?.toLowerCase() === kind)
    .reduce((sum, { value }) => sum + Number(value ?? 0), 0);
}

/** What statistics come to, as plain numbers: for tables, which have no digits for what is beyond 2^53. */

import type { Wide } from "../../spec/types/config.ts";
import type { BlkioEntry, Stats } from "./types.ts";

/** Times in ns, sizes in bytes. What the host does not tell is absent. */
export interface Totals {
  readonly cpuTime?: number;
  /** The part of it in the kernel. */
  readonly cpuKernel: number;
  /** The part of it outside. */
  readonly cpuUser: number;
  readonly memory?: number;
  /** Memory and swap together. */
  readonly memoryAndSwap?: number;
  /** The kernel's. */
  readonly kernelMemory?: number;
  /** From disks. */
  readonly read: number;
  /** To disks. */
  readonly written: number;
  /** Both together. */
  readonly transferred: number;
  /** How often something was read or written. */
  readonly operations: number;
}

/** Sums statistics up. */
export function totalsOf({ cpu, memory, blkio }: Stats): Totals {
  const { ioServiceBytesRecursive: bytes = [], ioServicedRecursive: operations = [] } = blkio;
  return {
    ...known("cpuTime", cpu.usage.total),
    cpuKernel: Number(cpu.usage.kernel),
    cpuUser: Number(cpu.usage.user),
    ...known("memory", memory.usage.usage),
    ...known("memoryAndSwap", memory.swap.usage),
    // Version 2 has it among the others.
    ...known("kernelMemory", memory.kernel.usage ?? memory.raw?.["kernel"]),
    read: sumOf(bytes, "read"),
    written: sumOf(bytes, "write"),
    transferred: allOf(bytes),
    operations: allOf(operations),
  };
}

function known<K extends string>(name: K, value: Wide | undefined): { readonly [P in K]?: number } {
  return value === undefined ? {} : { [name]: Number(value) } as { [P in K]?: number };
}

function sumOf(entries: readonly BlkioEntry[], wanted: "read" | "write" | "total"): number {
  return entries.filter(({ op = "" }) => op.toLowerCase() === wanted)
    .reduce((sum, { value = 0 }) => sum + Number(value), 0);
}

/** Version 1 has lines for the sums, version 2 has none. */
function allOf(entries: readonly BlkioEntry[]): number {
  const hasTotals = entries.some(({ op = "" }) => op.toLowerCase() === "total");
  return hasTotals ? sumOf(entries, "total") : sumOf(entries, "read") + sumOf(entries, "write");
}

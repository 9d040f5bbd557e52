/** Reading the kernel's formats of numbers in cgroup files. */

import type { Wide } from "../../spec/types/config.ts";
import { readFile } from "../files.ts";
import type { Pressure, PressureLine } from "./types.ts";

/** What "max" counts as: the largest number of 64 bits, as runc has it. */
const MAX = 2n ** 64n - 1n;

/** A decimal number without loss; "max" is the largest, anything else 0. */
export function toWide(text: string | undefined): Wide {
  if (text === "max") return MAX;
  if (text === undefined || !/^-?[0-9]+$/.test(text)) return 0;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** A file with one number; 0 when it is absent. */
export function numberIn(directory: string | undefined, name: string): Wide {
  return directory === undefined ? 0 : toWide(readFile(`${directory}/${name}`));
}

/** A file of lines `KEY NUMBER`; empty when it is absent. */
export function tableIn(directory: string | undefined, name: string): Record<string, Wide> {
  const table: Record<string, Wide> = {};
  if (directory === undefined) return table;
  for (const line of (readFile(`${directory}/${name}`) ?? "").split("\n")) {
    const [key, value] = line.split(" ");
    if (key && value !== undefined) table[key] = toWide(value);
  }
  return table;
}

/** Product and sum without loss. */
export function times(value: Wide | undefined, factor: number): Wide {
  return narrow(BigInt(value ?? 0) * BigInt(factor));
}

export function plus(one: Wide, other: Wide): Wide {
  const sum = BigInt(one) + BigInt(other);
  return narrow(sum > MAX ? MAX : sum);
}

function narrow(value: bigint): Wide {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The object without what is zero or empty: where runc has `omitempty`. */
export function sparse<T extends object>(values: T): { [K in keyof T]?: T[K] } {
  const kept = Object.entries(values).filter(([, value]) =>
    value !== undefined && value !== 0 && !(Array.isArray(value) && value.length === 0)
  );
  return Object.fromEntries(kept) as { [K in keyof T]?: T[K] };
}

/** A file `cpu.pressure` and the like; undefined when the kernel does not keep it. */
export function pressureIn(directory: string | undefined, name: string): Pressure | undefined {
  if (directory === undefined) return undefined;
  const text = readFile(`${directory}/${name}`);
  if (!text) return undefined;
  return { some: pressureLine(text, "some"), full: pressureLine(text, "full") };
}

function pressureLine(text: string, kind: string): PressureLine {
  const line = text.split("\n").find((line) => line.startsWith(`${kind} `)) ?? "";
  const value = (key: string) => new RegExp(`${key}=([0-9.]+)`).exec(line)?.[1];
  return {
    avg10: Number(value("avg10") ?? 0),
    avg60: Number(value("avg60") ?? 0),
    avg300: Number(value("avg300") ?? 0),
    total: toWide(value("total")),
  };
}

/** Names of huge page sizes as cgroup files have them, `2MB`, largest last. */
export function hugePageSizes(): string[] {
  try {
    const names = Array.from(Deno.readDirSync("/sys/kernel/mm/hugepages"), ({ name }) => name);
    const sizes = names.map((name) => Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0));
    return sizes.filter((size) => size > 0).sort((a, b) => a - b).map(sizeName);
  } catch {
    return [];
  }
}

function sizeName(kilobytes: number): string {
  if (kilobytes >= 2 ** 20) return `${kilobytes / 2 ** 20}GB`;
  return kilobytes >= 2 ** 10 ? `${kilobytes / 2 ** 10}MB` : `${kilobytes}KB`;
}

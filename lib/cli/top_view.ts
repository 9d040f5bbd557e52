/** The table of `top`. */

import { oneLine } from "../base/errors.ts";
import type { Usage } from "../supervise/usage.ts";
import { formatSize } from "./size.ts";

/** A column: its heading, its text, and what it is sorted by, the greatest first unless it is text. */
interface Column {
  readonly heading: string;
  readonly text: (usage: Usage) => string;
  readonly order: (usage: Usage) => number | string | undefined;
}

/** The columns by the names that --sort takes, in the order of the table. */
export const COLUMNS = {
  id: { heading: "ID", text: ({ id }) => oneLine(id), order: ({ id }) => id },
  status: { heading: "STATUS", text: ({ status }) => status, order: ({ status }) => status },
  cpu: { heading: "CPU", text: ({ cpu }) => percent(cpu), order: ({ cpu }) => cpu },
  time: {
    heading: "TIME",
    text: ({ cpuTime }) => cpuTime === undefined ? "-" : clock(cpuTime / 1e9),
    order: ({ cpuTime }) => cpuTime,
  },
  memory: {
    heading: "MEMORY",
    text: ({ memory, memoryLimit }) => ofLimit(memory, memoryLimit, formatSize),
    order: ({ memory }) => memory,
  },
  share: {
    heading: "OF LIMIT",
    text: (usage) => percent(shareOf(usage)),
    order: (usage) => shareOf(usage),
  },
  pids: {
    heading: "PIDS",
    text: ({ pids, pidsLimit }) => ofLimit(pids, pidsLimit, String),
    order: ({ pids }) => pids,
  },
  read: { heading: "READ/S", text: ({ readRate }) => size(readRate), order: (one) => one.readRate },
  write: {
    heading: "WRITE/S",
    text: ({ writeRate }) => size(writeRate),
    order: (one) => one.writeRate,
  },
  pressure: {
    heading: "PRESSURE",
    text: ({ pressure }) =>
      pressure === undefined
        ? "-"
        : [pressure.cpu, pressure.memory, pressure.io].map((one) => one.toFixed(0)).join("/"),
    order: ({ pressure }) => pressure && Math.max(pressure.cpu, pressure.memory, pressure.io),
  },
  restarts: {
    heading: "RESTARTS",
    text: ({ restarts }) => restarts === undefined ? "-" : String(restarts),
    order: ({ restarts }) => restarts,
  },
} as const satisfies Readonly<Record<string, Column>>;

/** The name of a column. */
export type ColumnName = keyof typeof COLUMNS;
/** In the order of the table. */
export const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];

/** What the rows are sorted by. */
export interface Order {
  readonly by: ColumnName;
  readonly reverse: boolean;
}

/** By one column; those without a value come last, and equal ones by their ids. */
function sortUsages(usages: readonly Usage[], { by, reverse }: Order): Usage[] {
  const { order }: Column = COLUMNS[by];
  const turn = reverse ? -1 : 1;
  return usages.toSorted((one, other) => {
    const [a, b] = [order(one), order(other)];
    if (a === undefined || b === undefined || a === b) {
      const known = Number(a === undefined) - Number(b === undefined);
      return known !== 0 ? known : compare(one.id, other.id);
    }
    return typeof a === "number" && typeof b === "number"
      ? turn * (b - a)
      : turn * compare(String(a), String(b));
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The table, sorted. `width`: lines are cut to it; `mark` sets off the heading that the rows are sorted by.
 */
export function topTable(
  usages: readonly Usage[],
  order: Order,
  width = Infinity,
  mark = (heading: string): string => heading,
): string[] {
  const columns = COLUMN_NAMES.map((name): [ColumnName, Column] => [name, COLUMNS[name]]);
  const rows = sortUsages(usages, order).map((one) => columns.map(([, { text }]) => text(one)));
  const widths = columns.map(([, { heading }], i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
      .join("  ").slice(0, width).trimEnd();
  const place = COLUMN_NAMES.indexOf(order.by);
  const head = line(columns.map(([, { heading }]) => heading));
  const start = widths.slice(0, place).reduce((sum, one) => sum + one + 2, 0);
  const end = Math.min(start + widths[place]!, head.length);
  const marked = start < end
    ? head.slice(0, start) + mark(head.slice(start, end)) + head.slice(end)
    : head;
  return [marked, ...rows.map(line)];
}

/** `3 containers, 2 running: cpu 12.5 %, memory 64.0 MiB, 7 pids` */
export function topSummary(usages: readonly Usage[]): string {
  const sum = (of: (usage: Usage) => number | undefined) =>
    usages.reduce((total, one) => total + (of(one) ?? 0), 0);
  const running = usages.filter(({ status }) => status === "running").length;
  const count = `${usages.length} ${usages.length === 1 ? "container" : "containers"}`;
  return `${count}, ${running} running: cpu ${percent(sum(({ cpu }) => cpu))}, ` +
    `memory ${formatSize(sum(({ memory }) => memory))}, ${sum(({ pids }) => pids)} pids`;
}

function shareOf({ memory, memoryLimit }: Usage): number | undefined {
  return memory === undefined || memoryLimit === undefined ? undefined : 100 * memory / memoryLimit;
}

function percent(value: number | undefined): string {
  return value === undefined ? "-" : `${value.toFixed(1)} %`;
}

function size(value: number | undefined): string {
  return value === undefined ? "-" : formatSize(Math.round(value));
}

function ofLimit(
  value: number | undefined,
  limit: number | undefined,
  format: (value: number) => string,
): string {
  if (value === undefined) return "-";
  return limit === undefined ? format(value) : `${format(value)} of ${format(limit)}`;
}

/** `1:02.35`, `3:04:05` */
function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
  const pair = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${Math.floor(minutes / 60)}:${pair(minutes % 60)}:${pair(seconds % 60)}`;
}

/** Tables for people, aligned as those of runc. */

import { oneLine } from "../base/errors.ts";

const CELL = 12;
const GAP = 3;

/** Rows under headings; every column but the last is padded. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const all = [headings, ...rows.map((row) => row.map((cell) => oneLine(String(cell))))];
  const widths = headings.map((_, i) =>
    Math.max(CELL, ...all.map((row) => (row[i] ?? "").length + GAP))
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => i === row.length - 1 ? cell : cell.padEnd(widths[i]!)).join("");
  return all.map((row) => `${line(row)}\n`).join("");
}

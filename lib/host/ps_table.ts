/** The table of ps(1), cut down to some processes. */

import { quote, RuntsError } from "../base/errors.ts";

/**
 * The heading and the rows whose PID is one of these, with rows of their threads.
 *
 * Numbers stand below the end of their heading. A wide value before them may have shifted them: then
 * they are as many words from the left as the heading.
 */
export function selectRows(table: string, pids: ReadonlySet<number>): string {
  const [heading = "", ...rows] = table.split("\n").filter((line) => line !== "");
  const words = heading.trim().split(/\s+/);
  const column = words.indexOf("PID");
  if (column < 0) throw new RuntsError("find the PID column in what ps prints");
  const end = endOf(heading, column);
  let isMember = false;
  const chosen = rows.filter((row) => {
    const words = row.trim().split(/\s+/);
    const cell = cellAt(inColumns(row), end, column) ?? words[column];
    if (cell === undefined || !/^(\d+|-)$/.test(cell)) {
      if (!words.some((word) => pids.has(Number(word)))) return isMember = false;
      throw new RuntsError(`find the process id in a row of ps: ${quote(row.trim())}`);
    }
    if (cell !== "-") isMember = pids.has(Number(cell));
    return isMember;
  });
  return [heading, ...chosen].map((line) => `${line}\n`).join("");
}

/** With a character for each column of a terminal: names may be wide, or combine (wcwidth(3)). */
function inColumns(row: string): string {
  if (!/[^\0-\x7f]/.test(row)) return row;
  return row.replace(/[\p{Mn}\p{Me}\p{Cf}]/gu, "")
    .replace(
      /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/gu,
      "??",
    )
    .replace(/[^\0-\uffff]/gu, "?");
}

/** Where a word of the heading ends. */
function endOf(heading: string, column: number): number {
  const words = heading.matchAll(/\S+/g).drop(column);
  const { index, 0: word } = words.next().value!;
  return index + word.length;
}

/** The number, or the "-" of a thread, that ends at this place; not one of a column before. */
function cellAt(row: string, end: number, column: number): string | undefined {
  if (row.length > end && row[end] !== " ") return undefined;
  const words = row.slice(0, end).trim().split(/\s+/);
  return words.length > column && /(^|\s|\d)[\d-]$/.test(row.slice(0, end))
    ? words.at(-1)
    : undefined;
}

/** A trace as a waterfall in a terminal. */

import { oneLine } from "../base/errors.ts";
import type { TraceSpan } from "../base/trace.ts";
import type { Style } from "./explain_view.ts";
import { PARTICIPANTS, type ReadTrace } from "./trace_events.ts";

/** Fewest columns of the bars. */
const BARS = 30;
/** Most columns of a name. */
const NAMES = 60;
/** Parts of a column. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A span with how deep it is in others of the same participant. */
interface Row extends TraceSpan {
  readonly depth: number;
}

/** The rows of a trace, in the order in which they begin. */
export function rowsOf({ spans }: ReadTrace): Row[] {
  const open = new Map<string, number[]>();
  return spans.map((span) => {
    const ends = (open.get(span.who) ?? []).filter((end) => end >= span.end && end > span.begin);
    open.set(span.who, [...ends, span.end]);
    return { ...span, depth: ends.length };
  });
}

/** The name of a participant. */
export function nameOf({ who }: TraceSpan): string {
  return PARTICIPANTS.find(([one]) => one === who)![1];
}

/** `12.3`: ms since the beginning. */
export function milliseconds(micros: number): string {
  return (micros / 1000).toFixed(2);
}

/** Begin and duration in ms, who, what, and a bar. `width`: of the terminal. */
export function traceText(trace: ReadTrace, width: number, { title, faint }: Style): string {
  const rows = rowsOf(trace);
  const begin = Math.min(...rows.map((row) => row.begin));
  const total = Math.max(1, Math.max(...rows.map((row) => row.end)) - begin);
  const whos = Math.max(...rows.map((row) => nameOf(row).length));
  const names = rows.map(({ depth, what, failed }) =>
    oneLine(`${"  ".repeat(depth)}${what}${failed === undefined ? "" : `: ${failed}`}`)
  );
  const longest = Math.max(...names.map((name) => name.length));
  const room = Math.max(20, Math.min(longest, NAMES, width - whos - BARS - 24));
  const bars = Math.max(BARS, width - whos - room - 24);
  const lines = rows.map((row, i) => {
    const times = [row.begin - begin, row.end - row.begin].map((one) =>
      milliseconds(one).padStart(9)
    );
    const name = names[i]!.length > room ? `${names[i]!.slice(0, room - 1)}…` : names[i]!;
    return `${times.join(" ")}  ${faint(nameOf(row).padEnd(whos))}  ${name.padEnd(room)}  ` +
      bar((row.begin - begin) / total, (row.end - begin) / total, bars);
  });
  const head = `${"ms".padStart(9)} ${"takes".padStart(9)}  ${"who".padEnd(whos)}  what`;
  return `${title(`${oneLine(trace.title)}: ${milliseconds(total)} ms`)}\n${faint(head)}\n${
    lines.map((line) => `${line.trimEnd()}\n`).join("")
  }`;
}

/** From one share of the width to another; what is too short to be seen is a thin line. */
function bar(from: number, to: number, width: number): string {
  const start = Math.min(Math.floor(from * width), width - 1);
  const eighths = Math.max(1, Math.round((to * width - start) * 8));
  const whole = Math.min(Math.floor(eighths / 8), width - start);
  const rest = start + whole < width ? EIGHTHS[eighths % 8]! : "";
  return " ".repeat(start) + "█".repeat(whole) + rest;
}

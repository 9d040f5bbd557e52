/** Trace Event JSON, which Perfetto and chrome://tracing show ("Trace Event Format", by Google). */

import type { Participant, TraceSpan } from "../base/trace.ts";
import { quote, RuntsError } from "../base/errors.ts";

/** The participants in the order of their rows, with their names. */
export const PARTICIPANTS: readonly (readonly [who: Participant, name: string])[] = [
  ["start", "start"],
  ["brain", "brain"],
  ["front", "front"],
  ["monitor", "monitor"],
  ["host", "init, on the host"],
  ["init", "init"],
  ["hook", "hooks"],
];

/** Times in it are µs; there is one process, and a thread for each participant. */
const PROCESS = 1;

/** The document. `title` is what was done. */
export function traceEvents(title: string, spans: readonly TraceSpan[]): string {
  const names = PARTICIPANTS.map(([, name], tid) => ({
    ...{ ph: "M", name: "thread_name", pid: PROCESS, tid, args: { name } },
  }));
  const order = PARTICIPANTS.map((_, tid) => ({
    ...{ ph: "M", name: "thread_sort_index", pid: PROCESS, tid, args: { sort_index: tid } },
  }));
  const process = { ph: "M", name: "process_name", pid: PROCESS, tid: 0, args: { name: title } };
  const events = [...spans].sort((a, b) => a.begin - b.begin || b.end - a.end).map((span) => ({
    ph: "X",
    name: span.what,
    cat: span.who,
    pid: PROCESS,
    tid: PARTICIPANTS.findIndex(([who]) => who === span.who),
    ts: rounded(span.begin),
    dur: rounded(Math.max(0, span.end - span.begin)),
    args: {
      ...(span.from && { config: span.from }),
      ...(span.failed !== undefined && { failed: span.failed }),
    },
  }));
  const lines = [process, ...names, ...order, ...events].map((event) => JSON.stringify(event));
  return `{"displayTimeUnit":"ms","traceEvents":[\n${lines.join(",\n")}\n]}\n`;
}

/** To a nanosecond. */
function rounded(micros: number): number {
  return Math.round(micros * 1000) / 1000;
}

/** A trace that was read. */
export interface ReadTrace {
  /** What was done. */
  readonly title: string;
  /** In the order in which they began; of those that began together, the longest first. */
  readonly spans: readonly TraceSpan[];
}

/** Reads what {@linkcode traceEvents} has written; `file` is what errors call it. */
export function readTrace(document: unknown, file: string): ReadTrace {
  const events = (document as { traceEvents?: unknown } | null)?.traceEvents;
  if (!Array.isArray(events)) throw noTrace(file, "it has no traceEvents");
  const title = events.find((one) => one?.name === "process_name")?.args?.name;
  const spans = events.filter((one) => one?.ph === "X").map((event): TraceSpan => {
    const { name, cat, ts, dur, args } = event;
    const known = PARTICIPANTS.find(([who]) => who === cat);
    if (known === undefined || typeof name !== "string" || !isTime(ts) || !isTime(dur)) {
      throw noTrace(file, `${quote(event)} is none of its events`);
    }
    return {
      ...{ who: known[0], what: name, begin: ts, end: ts + dur },
      ...(typeof args?.config === "string" && { from: args.config }),
      ...(typeof args?.failed === "string" && { failed: args.failed }),
    };
  });
  if (spans.length === 0) throw noTrace(file, "nothing was done");
  return {
    title: typeof title === "string" ? title : file,
    spans: spans.sort((a, b) => a.begin - b.begin || b.end - a.end),
  };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function noTrace(file: string, cause: string): RuntsError {
  return new RuntsError(`read ${quote(file)}`, { cause: `it is no trace of runts: ${cause}` });
}

/** What went wrong in init: a `failed` record becomes an error. Loaded when there is one. */

import { errnoText } from "../errno.ts";
import { type ErrorData, quote, RuntsError } from "../errors.ts";
import type { SyncRecord } from "../sync.ts";
import { describeOp } from "./describe.ts";
import { explainExec, explainSearch } from "./failure_program.ts";
import { hintFor } from "./hints.ts";
import { type Op, OPS } from "./ops.ts";

/**
 * An operation as far as it is remembered: one of a plan, or what a status file keeps of those that
 * follow the wait at the fifo. Without `index` its place in the list counts.
 */
export interface KnownOp {
  readonly index?: number;
  readonly op: string;
  readonly from: string;
}

/** The error of a failed operation: its configuration path, what it tried, errno and remedy. */
export function describeFailure(record: SyncRecord, ops: readonly KnownOp[]): RuntsError {
  const op = ops.find(({ index }, place) => (index ?? place) === record.op);
  const parts = splitDetail(record.detail);
  const { errno } = record;
  if (op === undefined) {
    return new RuntsError(text(parts, 0) || "init", { ...(errno && { errno }) });
  }
  const data: ErrorData = { stage: stageOf(record.op, ops) };
  if (op.from !== "") data.configPath = op.from;
  const name = op.op;
  const whole = isWhole(op) ? op : undefined;
  const first = text(parts, 0);
  switch (name) {
    case "find_program":
      return explainSearch(parts, errno, data, whole?.op === "find_program" ? whole : {});
    case "exec":
      return explainExec(parts, errno, data);
    case "hook":
      return hookFailure(first, errno, data, whole?.op === "hook" ? whole.path : undefined);
  }
  if (errno) data.errno = errno;
  const hint = whole && hintFor(whole, errno, ops.filter(isWhole));
  if (hint !== undefined) data.hint = hint;
  return new RuntsError(first || (whole ? describeOp(whole) : name), data);
}

/** Whether all fields are there: a status file keeps the name only. */
function isWhole(op: KnownOp): op is Op {
  const schema = Object.hasOwn(OPS, op.op) ? OPS[op.op as keyof typeof OPS].fields : undefined;
  return schema !== undefined && Object.keys(schema).every((field) => field in op);
}

/** c/init/init.h: text, and after each NUL a further part. Only the last one may hold NULs. */
function splitDetail(detail: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let rest = detail;
  while (parts.length < 2) {
    const end = rest.indexOf(0);
    if (end < 0) break;
    parts.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  return [...parts, rest];
}

function text(parts: readonly Uint8Array[], index: number): string {
  return new TextDecoder().decode(parts[index] ?? new Uint8Array());
}

function hookFailure(
  how: string,
  errno: number,
  data: ErrorData,
  path: string | undefined,
): RuntsError {
  const cause = new Error(errno ? `${how}: ${errnoText(errno)}` : how);
  return new RuntsError(path === undefined ? "hook" : `hook ${quote(path)}`, { ...data, cause });
}

/** The part of the plan that an operation belongs to: the same that `explain` groups by. */
export function stageOf(index: number, ops: readonly KnownOp[]): string {
  let stage = "host";
  for (const [place, op] of ops.entries()) {
    stage = STARTS[op.op] ?? stage;
    if ((op.index ?? place) === index) break;
  }
  return stage;
}

/** Operations that begin a new part. */
const STARTS: Readonly<Record<string, string>> = {
  clone: "namespaces",
  propagation: "root filesystem",
  rootfs: "root filesystem",
  personality: "process",
  mempolicy: "process",
  scheduler: "process",
  ioprio: "process",
  umask: "process",
  stdio_owner: "process",
  wait_start: "start",
  exec: "start",
};

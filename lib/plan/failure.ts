/** What went wrong in init: a `failed` record becomes an error. Loaded when there is one. */

import { decodeBytes } from "../base/bytes.ts";
import { EACCES, EISDIR, ELOOP, ENOENT, ENOEXEC, errnoText } from "../base/errno.ts";
import { type ErrorData, quote, RuntsError } from "../base/errors.ts";
import type { SyncRecord } from "../wire/messages.ts";
import { describeOp } from "./describe.ts";
import { explainExec, explainSearch } from "./failure_program.ts";
import { filterHint, hintFor } from "./hints.ts";
import type { Op } from "../wire/ops.ts";

/** An operation after the wait at the fifo, as a status file keeps it: its index in the plan. */
export interface RememberedOp {
  readonly index: number;
  readonly op: string;
  readonly from: string;
  /** Of a hook. */
  readonly path?: string;
}

/** The error of a failed operation: its configuration path, what it tried, errno and remedy. */
export function describeFailure(
  record: SyncRecord,
  ops: readonly (Op | RememberedOp)[],
): RuntsError {
  const { errno } = record;
  const known = ops.find((op, place) => indexOf(op, place) === record.op);
  const parts = splitDetail(record.detail, known?.op);
  const first = text(parts, 0);
  if (known === undefined) return new RuntsError(first || "init", { ...(errno && { errno }) });
  const data: ErrorData = { stage: stageOf(record.op, ops) };
  if (known.from !== "") data.configPath = known.from;
  const op = isWhole(known) ? known : undefined;
  switch (known.op) {
    case "find_program":
      return explainSearch(parts, errno, data, op?.op === "find_program" ? op : {});
    case "exec":
      return explainExec(parts, errno, data);
    case "hook":
      if (errno && !UNFILTERED.includes(errno)) addHint(data, underFilter(record.op, ops));
      return hookFailure(first, errno, data, "path" in known ? known.path : undefined);
  }
  if (isLoweredScore(known, errno)) {
    const cause = new Error(
      "EACCES: operation not permitted without CAP_SYS_RESOURCE on the host",
    );
    return new RuntsError(first || (op ? describeOp(op) : known.op), { ...data, cause });
  }
  if (errno) data.errno = errno;
  const hint = op && hintFor(op, errno, first, ops.filter(isWhole));
  addHint(data, hint ?? underFilter(record.op, ops));
  return new RuntsError(first || (op ? describeOp(op) : known.op), data);
}

/** What the program of a hook is to blame for. */
const UNFILTERED = [EACCES, EISDIR, ELOOP, ENOENT, ENOEXEC];

function underFilter(failed: number, ops: readonly (Op | RememberedOp)[]): string | undefined {
  return filterHint(failed, ops.map((op, at) => ({ op: op.op, place: indexOf(op, at) })));
}

function addHint(data: ErrorData, hint: string | undefined): void {
  if (hint !== undefined) data.hint = hint;
}

/**
 * The host does not let oom_score_adj be lowered. Docker takes "permission denied" for a program that
 * cannot be invoked, podman the other words for any lack of rights.
 */
function isLoweredScore({ op, from }: Op | RememberedOp, errno: number): boolean {
  return op === "write_file" && from === "process.oomScoreAdj" && errno === EACCES;
}

function indexOf(op: Op | RememberedOp, place: number): number {
  return isWhole(op) ? place : op.index;
}

/** A hook has an index of its own, among those of its kind. */
function isWhole(op: Op | RememberedOp): op is Op {
  return !("index" in op) || "kind" in op;
}

/**
 * c/init/init.h: text, and after each NUL a further part. What a program begins with is the last of
 * three, and may hold NULs itself.
 */
function splitDetail(detail: Uint8Array, op: string | undefined): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let rest = detail;
  while (op !== "exec" || parts.length < 2) {
    const end = rest.indexOf(0);
    if (end < 0) break;
    parts.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  return [...parts, rest];
}

function text(parts: readonly Uint8Array[], index: number): string {
  return decodeBytes(parts[index] ?? new Uint8Array());
}

function hookFailure(
  how: string,
  errno: number,
  data: ErrorData,
  path: string | undefined,
): RuntsError {
  const parts = [how, errno ? errnoText(errno) : ""].filter((part) => part !== "");
  const cause = new Error(parts.join(": "));
  return new RuntsError(path === undefined ? "hook" : `hook ${quote(path)}`, { ...data, cause });
}

/** The part of the plan that an operation belongs to. */
function stageOf(index: number, ops: readonly (Op | RememberedOp)[]): string {
  let stage = "host";
  for (const [place, op] of ops.entries()) {
    stage = STARTS[op.op] ?? stage;
    if (indexOf(op, place) === index) break;
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
  streams: "process",
  stdio_owner: "process",
  wait_start: "start",
  exec: "start",
};

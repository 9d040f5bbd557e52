/** Lines for `--debug` and for warnings, and spans of a trace, from records of init. */

import { decodeBytes } from "../base/bytes.ts";
import { errnoText } from "../base/errno.ts";
import type { TraceSpan } from "../base/trace.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { Op } from "../wire/ops.ts";
import { CAPABILITIES } from "../spec/values/capabilities.ts";
import type { SyncRecord } from "../wire/messages.ts";

/** `12.3 us  mounts[3]: mount proc on /proc`. */
async function traceLine(record: SyncRecord, ops: readonly Op[]): Promise<string> {
  const { describeOp } = await import("../plan/describe.ts");
  const op = ops[record.op];
  const micros = (Number(record.value) / 1000).toFixed(1).padStart(9);
  if (op === undefined) return `${micros} us  operation ${record.op}`;
  return `${micros} us  ${op.from === "" ? "" : `${op.from}: `}${describeOp(op)}`;
}

/** What is done with records of how long operations took; nothing where nobody asks. */
export function tracing(
  { debug, trace }: LoadedRuntime,
  ops: readonly Op[],
): { trace?(record: SyncRecord): Promise<void> } {
  if (debug === undefined && trace === undefined) return {};
  return {
    trace: async (record) => {
      debug?.(await traceLine(record, ops));
      trace?.add(await traceSpan(record, ops));
    },
  };
}

/** The detail has the time at which it began: ns since 1970. */
async function traceSpan(
  { op, value, detail }: SyncRecord,
  ops: readonly Op[],
): Promise<TraceSpan> {
  const { describeOp } = await import("../plan/describe.ts");
  const view = new DataView(detail.buffer, detail.byteOffset, detail.byteLength);
  const begin = Number(view.getBigUint64(0, true)) / 1000;
  const cloned = ops.findLastIndex(({ op }) => op === "clone");
  const one = ops[op];
  return {
    who: op <= cloned ? "host" : "init",
    what: one === undefined ? `operation ${op}` : describeOp(one),
    begin,
    end: begin + Number(value) / 1000,
    ...(one?.from && { from: one.from }),
  };
}

/** `process.capabilities: …: EPERM (operation not permitted)`. */
export function warningLine(record: SyncRecord, ops: readonly Op[]): string {
  const { op, from } = ops[record.op] ?? { op: "", from: "" };
  const ofCapabilities = (op === "bounding" || op === "caps") && record.value !== 0n;
  const detail = ofCapabilities
    ? `cannot grant ${capabilityNames(record.value)}`
    : decodeBytes(record.detail);
  const parts = [from, detail, record.errno === 0 ? "" : errnoText(record.errno)];
  return parts.filter((part) => part !== "").join(": ");
}

function capabilityNames(mask: bigint): string {
  const numbers = Array.from({ length: 64 }, (_, n) => n).filter((n) => mask >> BigInt(n) & 1n);
  return numbers.map((n) => CAPABILITIES[n] ?? `capability ${n}`).join(", ");
}

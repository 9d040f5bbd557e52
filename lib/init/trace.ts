/** Lines for `--debug` and for warnings, from records of init. */

import { decodeBytes } from "../base/bytes.ts";
import { errnoText } from "../base/errno.ts";
import type { Op } from "../wire/ops.ts";
import { CAPABILITIES } from "../spec/values/capabilities.ts";
import type { SyncRecord } from "../wire/messages.ts";

/** `12.3 us  mounts[3]: mount proc on /proc`. */
export async function traceLine(record: SyncRecord, ops: readonly Op[]): Promise<string> {
  const { describeOp } = await import("../plan/describe.ts");
  const op = ops[record.op];
  const micros = (Number(record.value) / 1000).toFixed(1).padStart(9);
  if (op === undefined) return `${micros} us  operation ${record.op}`;
  return `${micros} us  ${op.from === "" ? "" : `${op.from}: `}${describeOp(op)}`;
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

/** A plan for people and for tools: what `explain` prints. */

import { describeOp } from "./describe.ts";
import { stageOf } from "./failure.ts";
import type { Op } from "./ops.ts";
import type { Plan, PlanSlot } from "./types.ts";

/** How a plan is printed. */
export interface ExplainOptions {
  /** Emphasis by escape sequences of terminals. */
  readonly color?: boolean;
  /** Columns; longer descriptions continue on further lines. Default: no limit. */
  readonly width?: number;
}

/** One operation, for tools. */
export interface ExplainedOp {
  readonly index: number;
  readonly stage: string;
  /** JSON path in the configuration; absent if nothing there asked for it. */
  readonly from?: string;
  readonly op: string;
  readonly text: string;
  /** The operation's fields; bytes in hexadecimal, numbers beyond 2^53 as text. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Numbered operations by stage, each beside the configuration path that it comes from. */
export function explainPlan(plan: Plan, options: ExplainOptions = {}): string {
  const { color = false, width = Infinity } = options;
  const style = (code: number, text: string) => color ? `\x1b[${code}m${text}\x1b[0m` : text;
  const numbers = String(plan.ops.length).length;
  const column = Math.min(40, Math.max(0, ...plan.ops.map(({ from }) => from.length)));
  const room = Math.max(20, width - numbers - column - 6);
  const lines: string[] = [];
  let stage = "";
  for (const [index, op] of plan.ops.entries()) {
    const next = stageOf(index, plan.ops);
    if (next !== stage) lines.push(...(stage ? [""] : []), style(1, next));
    stage = next;
    const number = style(2, String(index).padStart(numbers + 2));
    const from = style(36, op.from.padEnd(column));
    const [first = "", ...rest] = wrap(describeOp(op), room);
    lines.push(`${number}  ${from}  ${first}`.trimEnd());
    for (const more of rest) lines.push(" ".repeat(numbers + column + 6) + more);
  }
  if (plan.slots.length > 0) lines.push("", style(1, "descriptors that init is given"));
  plan.slots.forEach((slot, index) => {
    lines.push(`${style(2, String(index).padStart(numbers + 2))}  ${describeSlot(slot)}`);
  });
  if (plan.warnings.length > 0) lines.push("", style(1, "warnings"));
  for (const warning of plan.warnings) lines.push(`  ${warning}`);
  return lines.join("\n") + "\n";
}

/** The same as data that JSON can hold. */
export function explainOps(ops: readonly Op[]): ExplainedOp[] {
  return ops.map((op, index) => {
    const { op: name, from, ...fields } = op;
    return {
      index,
      stage: stageOf(index, ops),
      ...(from && { from }),
      op: name,
      text: describeOp(op),
      fields: Object.fromEntries(Object.entries(fields).map(([key, v]) => [key, plain(v)])),
    };
  });
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

function describeSlot(slot: PlanSlot): string {
  switch (slot.kind) {
    case "fifo":
      return "exec.fifo, for the start";
    case "result":
      return "result.fifo, for what fails after it";
    case "console":
      return "socket for the terminal";
    case "cgroup-dir":
      return `cgroup ${slot.path}`;
    case "cgroup-file":
      return slot.path;
    case "pidfd":
      return "pidfd of the container's init";
    case "idmap-userns": {
      const maps = [slot.uidMap, slot.gidMap].map((map) =>
        map.map((m) => `${m.containerID}:${m.hostID}:${m.size}`).join(",")
      );
      return `user namespace with uid map ${maps[0]}, gid map ${maps[1]}`;
    }
  }
}

/** Lines of at most `room` characters, broken at spaces; longer words are broken anywhere. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const space = rest.lastIndexOf(" ", room);
    const end = space > 0 ? space : room;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** linux.rootfsPropagation, and what becomes of the mounts that have options of their own. */

import { Propagation } from "../spec/values/mount_options.ts";
import type { Linux, RootfsPropagation } from "../spec/types/config.ts";
import type { PlanWriter } from "./plan_writer.ts";
import { MountKind } from "../wire/ops.ts";
import type { MountPlan } from "./mount_op.ts";

const TYPES: Readonly<Record<string, number>> = {
  shared: Propagation.shared,
  slave: Propagation.slave,
  private: Propagation.private,
  unbindable: Propagation.unbindable,
};

export function propagationFlags(name: RootfsPropagation): number {
  return TYPES[name] ?? TYPES[name.slice(1)]! | Propagation.recursive;
}

/**
 * What the root and, recursively, the mounts on it become once it has been entered; 0: they stay as
 * they are. Slaves they all have been from the start.
 */
export function finalPropagation({ rootfsPropagation: wanted }: Linux): number {
  return wanted === undefined ? 0 : wanted === "rslave" ? TYPES.slave! : propagationFlags(wanted);
}

/**
 * The options of a mount outlast the recursive propagation of the root, which comes last. A recursive
 * one is not for what is mounted below it later: from there on the root's is set again as well.
 */
export function keepPropagation(writer: PlanWriter, plan: MountPlan, root: number): void {
  if (!(root & Propagation.recursive)) return;
  let recursive = false;
  for (const [index, op] of plan.ops.entries()) {
    if (op.op !== "mount") continue;
    const own = op.propagation;
    if (own.length === 0 && (!recursive || op.kind === MountKind.remount)) continue;
    const slot = writer.freeSlot();
    plan.ops[index] = { ...op, keep: slot };
    const propagation = recursive && op.kind !== MountKind.remount ? [root, ...own] : own;
    plan.last.push({ op: "mount_propagation", from: op.from, slot, propagation });
    recursive ||= own.some((flags) => flags & Propagation.recursive);
  }
}

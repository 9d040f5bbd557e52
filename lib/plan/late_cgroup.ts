/**
 * Entering the cgroup while mounts are made, and no earlier than they need it: till then the cgroup need not
 * be there (lib/container/creation.ts makes both at the same time).
 */

import { isWithin } from "../base/paths.ts";
import { MountFlag, type Op } from "../wire/ops.ts";
import type { MountPlan } from "./mount_op.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import type { Container, PlanWriter } from "./plan_writer.ts";

/**
 * The first of the mounts that needs the cgroup, or their number; undefined where the process is to be in it
 * as soon as it has been cloned: somebody acts on it then, or its mounts take memory that counts.
 */
export function lateCgroup(
  { host }: PlanWriter,
  { input, namespaces: { fresh }, userNamespace }: Container,
  { early, ops }: MountPlan,
): number | undefined {
  const { unattended, system, cgroup } = input;
  const isOwn = (fresh & NAMESPACE_FLAGS.mount) !== 0 && !userNamespace && early.length === 0;
  if (!unattended || system !== undefined || cgroup.moved || !isOwn) return undefined;
  if (cgroup.files.length === 0) return undefined; // it is born there
  if (ops.some((op) => op.op === "mount" && (Number(op.flags) & MountFlag.tmpcopyup) !== 0)) {
    return undefined;
  }
  const places = host.cgroups().map(({ mountPoint }) => mountPoint);
  const first = ops.findIndex((op) => looksAtCgroups(op, places));
  return first < 0 ? ops.length : first;
}

/** Whether it mounts a hierarchy, or what lies in one. */
function looksAtCgroups(op: Op, places: readonly string[]): boolean {
  if (op.op !== "mount") return false;
  const { fstype, source } = op;
  return fstype === "cgroup" || fstype === "cgroup2" ||
    places.some((place) => isWithin(source, place));
}

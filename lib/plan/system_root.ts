/** The root filesystem of a system container, where that is more than a directory. */

import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { MountAttr, parseMountOptions } from "../spec/values/mount_options.ts";
import { MountKind, type Op, TreeExtent } from "../wire/ops.ts";
import { mountOp } from "./mount_op.ts";
import type { Container, PlanWriter } from "./plan_writer.ts";
import type { RootMount } from "./system.ts";

/** What is mounted on the root, by when the operations are performed. */
interface RootPlan {
  /** In the host's namespaces. */
  readonly early: Op[];
  /** Once the root is open. */
  readonly ops: Op[];
}

/** `userSlot`: the user namespace that is joined. */
export function planRootMount(
  writer: PlanWriter,
  container: Container,
  userSlot: number | undefined,
): RootPlan {
  const plan: RootPlan = { early: [], ops: [] };
  const root = container.input.system?.root;
  if (root === undefined) return plan;
  const { from, type, source } = root;
  // What is read-only becomes so at last, when all mount points have been made.
  const options = parseMountOptions(root.options.filter((option) => option !== "ro"));
  const common = { from, destination: "/", attr_set: options.attrSet };
  if (type !== undefined) {
    const { superblock, data } = options;
    plan.ops.push(mountOp({ ...common, fstype: type, source: source ?? type, superblock, data }));
    return plan;
  }
  if (source === undefined && root.idmap === undefined) {
    const { attrClear: attr_clear } = options;
    plan.ops.push(mountOp({ ...common, kind: MountKind.remount, attr_clear }));
    return plan;
  }
  const slot = openRoot(writer, container, root, userSlot, plan.early);
  plan.ops.push(mountOp({
    ...common,
    kind: MountKind.rbind,
    source: source ?? container.rootfs,
    slot,
    attr_clear: options.attrClear & ~MountAttr.idmap,
  }));
  return plan;
}

/** The slot of what is opened beforehand, or -1. */
function openRoot(
  writer: PlanWriter,
  container: Container,
  { from, source = container.rootfs, idmap }: RootMount,
  userSlot: number | undefined,
  early: Op[],
): number {
  if (idmap === undefined && !container.openEarly) return -1;
  const map = idmap === undefined
    ? -1
    : usersOf(writer, container, { from, idmap }, userSlot, early);
  const slot = writer.freeSlot();
  early.push({
    op: "open_tree",
    from,
    slot,
    source,
    recursive: TreeExtent.whole,
    nofollow: 0,
    idmap: map,
  });
  return slot;
}

/** The slot of the user namespace that maps ids: the container's, or that of a path. */
export function usersOf(
  writer: PlanWriter,
  { linux }: Container,
  { from, idmap }: { readonly from: string; readonly idmap: string },
  userSlot: number | undefined,
  early: Op[],
): number {
  if (idmap === CONTAINER) {
    return userSlot ?? writer.idmapSlot(linux.uidMappings ?? [], linux.gidMappings ?? []);
  }
  const slot = writer.freeSlot();
  early.push({ op: "open_ns", from, slot, kind: NAMESPACE_FLAGS.user, path: idmap });
  return slot;
}

/** Stands for the container's own ids. */
const CONTAINER = "container";

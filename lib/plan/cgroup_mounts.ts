/** Mounts of type `cgroup`: what the container sees of the cgroups, on v1, hybrid and v2. */

import { RuntsError } from "../base/errors.ts";
import { MountAttr } from "../spec/values/mount_options.ts";
import type { Container, PlanWriter } from "./plan_writer.ts";
import { mountOp, type MountPlan, type MountRequest, warnOfView, wholeTree } from "./mount_op.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { CreateKind, MountKind } from "../wire/ops.ts";
import type { CgroupHierarchy } from "./plan.ts";

export function addCgroupMount(
  writer: PlanWriter,
  container: Container,
  plan: MountPlan,
  request: MountRequest,
): void {
  const hierarchies = writer.host.cgroups();
  const [only] = hierarchies;
  if (only === undefined) {
    throw new RuntsError("mount cgroup: the host has no cgroup hierarchy", {
      configPath: request.from,
    });
  }
  if (hierarchies.length === 1 && isUnified(only)) {
    const { destination } = request.common;
    addUnified(container, plan, request, only, destination, only.mountPoint);
    if (!ownsCgroups(container)) warnOfView(writer, request);
  } else if (request.type === "cgroup2") {
    const unified = hierarchies.find(isUnified);
    if (unified === undefined) {
      throw new RuntsError("mount cgroup2: the host has no hierarchy of version 2", {
        configPath: request.from,
      });
    }
    const { destination } = request.common;
    addUnified(container, plan, request, unified, destination, unified.directory);
    if (!ownsCgroups(container)) warnOfView(writer, request);
  } else {
    addLegacy(container, plan, request, hierarchies);
    if (!ownsCgroups(container)) warnOfView(writer, request);
  }
}

function isUnified({ controllers }: CgroupHierarchy): boolean {
  return controllers.length === 0;
}

/** Whether the container's root may mount cgroups, and sees its own cgroup as their root. */
function ownsCgroups({ namespaces: { fresh, joined } }: Container): boolean {
  const { cgroup, user } = NAMESPACE_FLAGS;
  if (fresh & cgroup) return true;
  return (joined & cgroup) !== 0 && (fresh & user) === 0;
}

/**
 * Without a namespace of its own the container gets `view` by a bind mount: mounting the
 * hierarchy again from the first namespace would reset the options of the host's mount.
 */
function addUnified(
  container: Container,
  plan: MountPlan,
  { common, options: { superblock, data } }: MountRequest,
  { mountPoint }: CgroupHierarchy,
  destination: string,
  view: string,
): void {
  if (ownsCgroups(container)) {
    const fields = { fstype: "cgroup2", source: "cgroup2", superblock, data, attr_clear: 0 };
    plan.ops.push(mountOp({ ...common, ...fields, destination }));
  } else {
    const kind = view === mountPoint ? MountKind.rbind : MountKind.bind;
    plan.ops.push(mountOp({ ...wholeTree(common), kind, source: view, destination }));
  }
}

/** A tmpfs that holds a mount of each hierarchy, under the host's names. */
function addLegacy(
  container: Container,
  plan: MountPlan,
  request: MountRequest,
  hierarchies: readonly CgroupHierarchy[],
): void {
  const { common, from, options: { superblock, data } } = request;
  const { destination } = common;
  const attributes = common.attr_set as number;
  const outer = MountAttr.nosuid | MountAttr.nodev | MountAttr.noexec;
  plan.ops.push(mountOp({
    ...common,
    fstype: "tmpfs",
    source: "tmpfs",
    data: ["mode=755"],
    attr_set: (attributes | outer) & ~MountAttr.rdonly,
    attr_clear: 0,
  }));
  for (const hierarchy of hierarchies) {
    const { mountPoint, controllers, directory } = hierarchy;
    const name = mountPoint.slice(mountPoint.lastIndexOf("/") + 1);
    const path = `${destination}/${name}`;
    if (isUnified(hierarchy)) {
      // The filesystem's own options are those of version 1 here.
      const options = { ...request.options, data: [] };
      addUnified(container, plan, { ...request, options }, hierarchy, path, directory);
      continue;
    }
    if (ownsCgroups(container)) {
      const fields = { fstype: "cgroup", source: "cgroup", superblock, attr_clear: 0 };
      const all = [...controllers, ...data];
      plan.ops.push(mountOp({ ...common, ...fields, data: all, destination: path }));
    } else {
      const kind = MountKind.rbind;
      const fields = { kind, source: directory, destination: path };
      plan.ops.push(mountOp({ ...wholeTree(common), ...fields }));
    }
    for (const controller of controllers) {
      if (controller === name || controller.startsWith("name=")) continue;
      const link = `${destination}/${controller}`;
      plan.ops.push({ op: "symlink", from, target: name, path: link, replace: 0 });
    }
  }
  if (attributes & MountAttr.rdonly) {
    plan.ops.push(mountOp({
      from,
      destination,
      kind: MountKind.remount,
      attr_set: MountAttr.rdonly,
      create: CreateKind.none,
    }));
  }
}

/** `mounts` of the configuration. */

import { cleanPathFrom } from "../base/paths.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { parseIdmap, resolveIdmap } from "../spec/values/idmap.ts";
import {
  droppedAttributes,
  MountAttr,
  type ParsedMountOptions,
  parseMountOptions,
  Propagation,
} from "../spec/values/mount_options.ts";
import type { Mount } from "../spec/types/config.ts";
import { addCgroupMount } from "./cgroup_mounts.ts";
import { type Container, type PlanWriter } from "./plan_writer.ts";
import { NOTIFY_DIRECTORY } from "./environment.ts";
import { mountOp, type MountPlan, type MountRequest, warnOfView, wholeTree } from "./mount_op.ts";
import { hostSource, isInside, mountsBelow } from "./mount_source.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { CreateKind, MountFlag, MountKind, type Op, TreeExtent } from "../wire/ops.ts";
import { usersOf } from "./system_root.ts";
import { finalPropagation, keepPropagation } from "./propagation.ts";
import { checkProcMount, isProc } from "./proc.ts";
import { refuseUnlocking } from "./locked.ts";

/** All mounts, in the order in which the configuration has them. `userSlot`: of a joined one. */
export function planMounts(
  writer: PlanWriter,
  container: Container,
  userSlot: number | undefined,
): MountPlan {
  const plan: MountPlan = { early: [], locks: [], ops: [], late: [], last: [] };
  const { spec, notifyDirectory } = container.input;
  spec.mounts?.forEach((mount, index) => {
    addMount(writer, container, plan, mount, `mounts[${index}]`, userSlot);
  });
  if (notifyDirectory !== undefined) {
    const options = ["bind", "nosuid", "noexec", "nodev", "ro"];
    const mount = { destination: NOTIFY_DIRECTORY, source: notifyDirectory, options };
    addMount(writer, container, plan, mount, "", userSlot);
  }
  if (container.mountNamespace) keepPropagation(writer, plan, finalPropagation(container.linux));
  return plan;
}

function addMount(
  writer: PlanWriter,
  container: Container,
  plan: MountPlan,
  mount: Mount,
  from: string,
  userSlot: number | undefined,
): void {
  const request = readMount(container, mount, from);
  const { options, type } = request;
  const bind = bindOf(request);
  checkProcMount(request, bind !== "none");
  if (bind === "none" && (options.idmap !== "none" || mount.uidMappings !== undefined)) {
    throw new RuntsError(`mount on ${quote(mount.destination)}: only bind mounts map ids`, {
      configPath: from,
    });
  }
  if (options.remount) plan.ops.push(remount(request));
  else if (bind !== "none") addBind(writer, container, plan, request, bind, userSlot);
  else if (type === "cgroup" || type === "cgroup2") {
    addCgroupMount(writer, container, plan, request);
  } else if (type === "sysfs" && !ownsNetwork(container)) {
    addHostSysfs(writer, container, plan, request);
  } else addFilesystem(writer, container, plan, request);
}

function readMount(container: Container, mount: Mount, from: string): MountRequest {
  const options = parseMountOptions(mount.options ?? []);
  const flags = (options.tmpcopyup ? MountFlag.tmpcopyup : 0) |
    (options.destNofollow ? MountFlag.destNofollow : 0) |
    (options.srcNofollow ? MountFlag.srcNofollow : 0) |
    (options.copySymlink ? MountFlag.copySymlink : 0) |
    (container.userNamespace || container.input.host.inUserNamespace ? MountFlag.keepLocked : 0);
  return {
    from,
    mount,
    options,
    type: mount.type ?? "",
    source: mount.source ?? "",
    common: {
      from,
      destination: cleanPathFrom("", mount.destination),
      attr_set: options.attrSet,
      attr_clear: options.attrClear,
      rec_set: options.recSet,
      rec_clear: options.recClear,
      propagation: options.propagation,
      create: CreateKind.directory,
      flags,
    },
  };
}

function bindOf({ options, type }: MountRequest): ParsedMountOptions["bind"] {
  return options.bind === "none" && (type === "bind" || type === "rbind") ? type : options.bind;
}

function remount({ options, common }: MountRequest): Op {
  const whole = options.bind === "none";
  return mountOp({
    ...common,
    kind: MountKind.remount,
    superblock: whole ? options.superblock : [],
    data: whole ? options.data : [],
    create: CreateKind.none,
  });
}

/**
 * The kernel shows sysfs to those alone who own the network namespace; a view of the host's is what
 * there is. What the host has mounted below comes with it, as its cgroups, and an id that the user
 * namespace maps to itself could write there: nothing of it can be written.
 */
function addHostSysfs(
  writer: PlanWriter,
  container: Container,
  plan: MountPlan,
  request: MountRequest,
): void {
  const { common, from } = request;
  const { rdonly } = MountAttr;
  const asked = Number(common.attr_set) | Number(common.rec_set);
  if (!(asked & rdonly)) {
    writer.warnings.push(`${from}: read-only: without a new network namespace /sys is the host's`);
  }
  // Without that, CAP_SYS_ADMIN would do for the container to make it writable again.
  const copied = container.openEarly && container.namespaces.fresh & NAMESPACE_FLAGS.mount;
  if (copied && plan.locks.length === 0) {
    plan.locks.push({ op: "lock_readonly", from, path: "/sys" });
  }
  const tree = wholeTree(common);
  plan.ops.push(mountOp({
    ...tree,
    kind: MountKind.rbind,
    source: "/sys",
    rec_set: Number(tree.rec_set) | rdonly,
    flags: tree.flags! | MountFlag.destNofollow,
  }));
  warnOfView(writer, request);
}

/** A network namespace of the container's user namespace, without which there is no sysfs. */
function ownsNetwork({ namespaces, userNamespace }: Container): boolean {
  const { user, network } = NAMESPACE_FLAGS;
  const { fresh, joined } = namespaces;
  if (!userNamespace) return true;
  return ((fresh | (joined & user ? joined : 0)) & network) !== 0;
}

function addBind(
  writer: PlanWriter,
  container: Container,
  plan: MountPlan,
  request: MountRequest,
  bind: "bind" | "rbind",
  userSlot: number | undefined,
): void {
  const { common, options, from } = request;
  const source = cleanPathFrom(container.input.bundle, request.source);
  const recursive = bind === "rbind";
  const within = isInside(source, container);
  const { idmap, place } = mapped(
    ...[writer, container, request, source, userSlot, plan.early] as const,
  );
  let slot = -1;
  if (idmap >= 0 || (container.openEarly && !options.copySymlink && !within)) {
    slot = writer.freeSlot();
    if (recursive && container.openEarly) refuseUnlocking(writer, request, place ?? source);
    (place === undefined ? plan.ops : plan.early).push({
      op: "open_tree",
      from,
      slot,
      source: place ?? source,
      recursive: !recursive
        ? TreeExtent.top
        : options.idmap === "ridmap"
        ? TreeExtent.mapped
        : TreeExtent.whole,
      nofollow: Number(options.srcNofollow),
      idmap,
    });
  }
  const proc = isProc(common.destination) ? MountFlag.fromProc | MountFlag.destNofollow : 0;
  plan.ops.push(mountOp({
    ...common,
    kind: recursive ? MountKind.rbind : MountKind.bind,
    source,
    slot,
    attr_rest: droppedAttributes(request.mount.options ?? [], options),
    create: CreateKind.auto,
    flags: common.flags! | proc,
  }));
  if (recursive && within && place !== undefined) {
    addBelow(writer, container, plan, { ...request, source }, userSlot);
  }
}

/** What earlier mounts bring below a source that has been opened before they were made. */
function addBelow(
  writer: PlanWriter,
  container: Container,
  plan: MountPlan,
  request: MountRequest,
  userSlot: number | undefined,
): void {
  const { common, mount, options, source } = request;
  const { rootfs, input: { spec: { mounts = [] } } } = container;
  const { uidMappings: _, gidMappings: __, ...plain } = mount;
  const unmapped = { mount: plain, options: { ...options, idmap: "none" as const } };
  for (const place of mountsBelow(container, source, mounts.indexOf(mount))) {
    const below = {
      ...request,
      ...(options.idmap === "ridmap" ? {} : unmapped),
      source: rootfs + place,
      common: {
        ...common,
        destination: common.destination + (rootfs + place).slice(source.length),
        attr_set: 0,
        attr_clear: 0,
        propagation: common.propagation!.filter((flags) => flags & Propagation.recursive),
      },
    };
    addBind(writer, container, plan, below, "rbind", userSlot);
  }
}

/**
 * The slot of the map of the ids, or -1, and where the source is opened on the host; undefined: once
 * earlier mounts have brought it. From a user namespace nobody maps the ids of the host's filesystems,
 * and those of the container's own have the ids of its user namespace without a map.
 */
function mapped(
  writer: PlanWriter,
  container: Container,
  request: MountRequest,
  source: string,
  userSlot: number | undefined,
  early: Op[],
): { readonly idmap: number; readonly place: string | undefined } {
  const { mount, options } = request;
  const rule = container.input.system?.mounts[request.from]?.idmap;
  if (rule !== undefined) {
    const given = { from: request.from, idmap: rule };
    return { idmap: usersOf(writer, container, given, userSlot, early), place: source };
  }
  const all = () => idmapSlot(writer, container, request, userSlot);
  if (!isInside(source, container)) return { idmap: all(), place: source };
  const maps = options.idmap !== "none" || mount.uidMappings !== undefined;
  if (!maps || !container.userNamespace) return { idmap: all(), place: undefined };
  const { mounts = [] } = container.input.spec;
  const place = hostSource(container, source, mounts.indexOf(mount));
  const implied = mount.uidMappings === undefined && options.idmapText === undefined;
  return { idmap: place === undefined && implied ? -1 : all(), place };
}

/** The slot of the user namespace that maps the mount's ids, or -1 for a plain mount. */
function idmapSlot(
  writer: PlanWriter,
  { linux }: Container,
  { mount, options }: MountRequest,
  userSlot: number | undefined,
): number {
  const { uidMappings, gidMappings } = mount;
  if (uidMappings && gidMappings) return writer.idmapSlot(uidMappings, gidMappings);
  if (options.idmap === "none") return -1;
  const uids = linux.uidMappings ?? [];
  const gids = linux.gidMappings ?? [];
  if (options.idmapText !== undefined) {
    const map = parseIdmap(options.idmapText);
    return writer.idmapSlot(resolveIdmap(map.uids, uids), resolveIdmap(map.gids, gids));
  }
  return userSlot ?? writer.idmapSlot(uids, gids);
}

function addFilesystem(
  writer: PlanWriter,
  container: Container,
  plan: MountPlan,
  request: MountRequest,
): void {
  const { common, options, type, source } = request;
  const { destination } = common;
  const rdonly = MountAttr.rdonly;
  // What lies below, and the devices, are made first.
  const later = (type === "tmpfs" || destination === "/dev") && (options.attrSet & rdonly) !== 0;
  const inherit = type === "tmpfs" && !options.data.some((item) => item.startsWith("mode="));
  plan.ops.push(mountOp({
    ...common,
    fstype: type,
    source,
    superblock: later ? options.superblock.filter((flag) => flag !== "ro") : options.superblock,
    data: parameters(writer, container, request),
    attr_set: later ? options.attrSet & ~rdonly : options.attrSet,
    attr_clear: 0,
    flags: common.flags! | (inherit ? MountFlag.inheritMode : 0),
  }));
  if (later) {
    const { from } = request;
    plan.late.push(mountOp({ from, destination, kind: MountKind.remount, attr_set: rdonly }));
  }
}

/** Kernel filesystems take no SELinux context of their own. */
const UNLABELLED = ["proc", "sysfs", "mqueue"];

function parameters(
  writer: PlanWriter,
  container: Container,
  request: MountRequest,
): readonly string[] {
  const { options, type, from } = request;
  const { linux, namespaces, input } = container;
  let data = options.data;
  if (type === "devpts" && namespaces.fresh & NAMESPACE_FLAGS.user) {
    data = data.filter((item) => {
      const gid = /^gid=(\d+)$/.exec(item)?.[1];
      const mapped = gid === undefined ||
        (linux.gidMappings ?? []).some(({ containerID, size }) =>
          Number(gid) >= containerID && Number(gid) < containerID + size
        );
      if (!mapped) writer.warnings.push(`${from}: ${item} is left out: linux.gidMappings lack it`);
      return mapped;
    });
  }
  const label = linux.mountLabel;
  if (!label || UNLABELLED.includes(type) || data.some((item) => /^\w*context=/.test(item))) {
    return data;
  }
  const key = input.spec.annotations?.["run.oci.mount_context_type"] ?? "context";
  return [...data, `${key}=${label}`];
}

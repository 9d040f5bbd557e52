/** Joining and making namespaces: stage 1, the clone, and what stage 2 does first. */

import { NAMESPACE_FLAGS } from "../base/linux.ts";
import type { CgroupJoin } from "../cgroup/manager.ts";
import type { Linux, TimeOffsets } from "../spec/types/config.ts";
import { Message } from "../wire/messages.ts";
import type { Container, NamespaceJoin, NamespaceSet, PlanWriter } from "./plan_writer.ts";

const NEW = NAMESPACE_FLAGS;
/** Filesystem type of procfs (statfs(2)). */
export const PROC_SUPER_MAGIC = 0x9fa0;

export function readNamespaces(linux: Linux): NamespaceSet {
  let fresh = 0;
  let joined = 0;
  const joins: NamespaceJoin[] = [];
  linux.namespaces?.forEach(({ type, path }, index) => {
    const kind = NEW[type];
    if (path) {
      joined |= kind;
      joins.push({ kind, path, from: `linux.namespaces[${index}].path` });
    } else {
      fresh |= kind;
    }
  });
  return { fresh, joined, joins };
}

/** Opens the namespaces given by path; gives the slot of each by its kind. */
export function openNamespaces(writer: PlanWriter, set: NamespaceSet): Map<number, number> {
  const slots = new Map<number, number>();
  for (const { kind, path, from } of set.joins) {
    const slot = writer.freeSlot();
    slots.set(kind, slot);
    writer.add({ op: "open_ns", from, slot, kind, path });
  }
  return slots;
}

/**
 * Joins them. Root may enter what belongs to the host as long as it is not in the user namespace,
 * and the rest only from there: the user namespace comes in between. Anyone else has rights
 * only from it on. The mount namespace is last of each group, paths having been opened before. The
 * cgroup namespace is left to {@linkcode enterNamespaces}, but for a new user namespace's sake.
 */
export function joinNamespaces(
  writer: PlanWriter,
  set: NamespaceSet,
  slots: ReadonlyMap<number, number>,
): void {
  const late = joinsLate(set) ? NEW.cgroup : 0;
  const user = set.joins.filter(({ kind }) => kind === NEW.user);
  const others = set.joins.filter(({ kind }) => kind !== NEW.user && kind !== NEW.mount)
    .concat(set.joins.filter(({ kind }) => kind === NEW.mount));
  const join = (joins: readonly NamespaceJoin[], defer: number) => {
    for (const { kind, from } of joins) {
      writer.add({ op: "setns", from, slot: slots.get(kind)!, kind, defer });
    }
  };
  if (user.length > 0 && writer.host.euid === 0) join(others, 1);
  join(user, 0);
  join(others.filter(({ kind }) => kind !== late), 0);
}

/**
 * Where namespaces delegate (mount option nsdelegate), nobody enters a cgroup from a namespace that
 * does not see the cgroup left (cgroup_namespaces(7)): ENOENT. But from a new user namespace there is
 * no right to join one of the host's.
 */
function joinsLate({ fresh, joined }: NamespaceSet): boolean {
  return (joined & NEW.cgroup) !== 0 && (fresh & NEW.user) === 0;
}

/**
 * From the host's namespaces to the container's: the time namespace, the clone, the cgroup, the id
 * maps.
 *
 * @param isLate the cgroup comes later: {@linkcode enterCgroup}
 */
export function enterNamespaces(
  writer: PlanWriter,
  container: Container,
  slots: ReadonlyMap<number, number>,
  isLate: boolean,
): void {
  const { fresh, joined } = container.namespaces;
  const { cgroup } = container.input;
  const newUser = (fresh & NEW.user) !== 0;
  const newTime = (fresh & NEW.time) !== 0;
  const bornIn = cgroupDirectory(writer, cgroup, (joined & NEW.user) !== 0);
  const from = "linux.namespaces";
  let flags = fresh & ~(NEW.time | NEW.cgroup);
  const twice = newUser && newTime;
  if (twice) {
    // Who makes a time namespace must be root of the user namespace that is to own it.
    writer.add({ op: "clone", from, flags: NEW.user, cgroup: bornIn });
    joinCgroup(writer, cgroup, false);
    askForMaps(writer);
    flags &= ~NEW.user;
  }
  if (newTime) {
    writer.add({ op: "unshare", from, flags: NEW.time });
    setOffsets(writer, container.linux.timeOffsets);
  }
  // Processes that share the pid namespace must not look into this one before it is confined.
  if (joined & NEW.pid && !newUser) writer.add({ op: "dumpable", from: "", value: 0 });
  writer.add({ op: "clone", from, flags, cgroup: twice ? -1 : bornIn });
  if (isLate) return;
  if (!twice) {
    joinCgroup(writer, cgroup, (joined & NEW.user) !== 0);
    if (newUser) askForMaps(writer);
  }
  enterCgroupNamespace(writer, container, slots);
}

/** Into the cgroup, from the container's namespaces. */
export function enterCgroup(
  writer: PlanWriter,
  container: Container,
  slots: ReadonlyMap<number, number>,
): void {
  const { cgroup } = container.input;
  joinCgroup(writer, cgroup, false);
  enterCgroupNamespace(writer, container, slots);
  resetAffinity(writer, cgroup);
}

/** Only from the container's cgroup, so that it is the root of the namespace. */
function enterCgroupNamespace(
  writer: PlanWriter,
  { namespaces }: Container,
  slots: ReadonlyMap<number, number>,
): void {
  if (namespaces.fresh & NEW.cgroup) {
    writer.add({ op: "unshare", from: "linux.namespaces", flags: NEW.cgroup });
  }
  if (joinsLate(namespaces)) {
    const { from = "" } = namespaces.joins.find(({ kind }) => kind === NEW.cgroup) ?? {};
    writer.add({ op: "setns", from, slot: slots.get(NEW.cgroup)!, kind: NEW.cgroup, defer: 0 });
  }
}

/** runts writes the maps before it answers. */
function askForMaps(writer: PlanWriter): void {
  writer.add({ op: "sync", from: "linux.uidMappings", message: Message.maps });
}

/** The slot of the directory to be born in, or -1: a joined user namespace has no right to it. */
export function cgroupDirectory(
  writer: PlanWriter,
  cgroup: CgroupJoin,
  joinedUser: boolean,
): number {
  if (cgroup.bornIn === undefined || joinedUser) return -1;
  return writer.slot({ kind: "cgroup-dir", path: cgroup.bornIn });
}

/** Moves the process into the cgroup, as far as it was not born there. */
export function joinCgroup(writer: PlanWriter, cgroup: CgroupJoin, joinedUser: boolean): void {
  const from = "linux.cgroupsPath";
  if (cgroup.moved) writer.add({ op: "sync", from, message: Message.cgroup });
  const files = cgroup.bornIn !== undefined && joinedUser
    ? [...cgroup.files, `${cgroup.bornIn}/cgroup.procs`]
    : cgroup.files;
  for (const path of files) {
    writer.add({ op: "join_cgroup", from, slot: writer.slot({ kind: "cgroup-file", path }) });
  }
}

/** The caller's mask of CPUs was not made for the cgroup that was joined. */
export function resetAffinity(writer: PlanWriter, cgroup: CgroupJoin): void {
  if (cgroup.bornIn === undefined && cgroup.files.length === 0 && !cgroup.moved) return;
  writer.add({ op: "affinity", from: "linux.resources.cpu", mask: new Uint8Array() });
}

/** time_namespaces(7): before any process enters the namespace. */
function setOffsets(writer: PlanWriter, offsets: TimeOffsets = {}): void {
  const lines = (["monotonic", "boottime"] as const).flatMap((clock) => {
    const { secs = 0, nanosecs = 0 } = offsets[clock] ?? {};
    return secs || nanosecs ? [`${clock} ${secs} ${nanosecs}\n`] : [];
  });
  if (lines.length === 0) return;
  writer.add({
    op: "write_file",
    from: "linux.timeOffsets",
    path: "/proc/self/timens_offsets",
    data: lines.join(""),
    magic: PROC_SUPER_MAGIC,
  });
}

/** The plan of criu: a program of the host's, which init becomes where what it restores is to be. */

import { cleanPathFrom, isWithin } from "../base/paths.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import type { CgroupJoin } from "../cgroup/manager.ts";
import type { Mount, Spec } from "../spec/types/config.ts";
import { MountAttr, parseMountOptions, Propagation } from "../spec/values/mount_options.ts";
import { Message } from "../wire/messages.ts";
import { CreateKind, MountKind, RootBind, TreeExtent } from "../wire/ops.ts";
import { mountOp } from "./mount_op.ts";
import { cgroupDirectory, joinCgroup } from "./namespaces.ts";
import type { Plan, PlanHost } from "./plan.ts";
import { type NamespaceJoin, PlanWriter } from "./plan_writer.ts";

/** What criu is started with. */
interface CriuInput {
  readonly host: PlanHost;
  /** Its path, or its name. */
  readonly program: string;
  /** PATH, to find it by its name. */
  readonly search: string;
  readonly env: readonly string[];
  /** Names of descriptors that it gets: the first is its end of the conversation. */
  readonly given: readonly string[];
  /** For a container that is to be restored. */
  readonly restore?: RestoreInput;
}

/** Where a container is restored. */
export interface RestoreInput {
  readonly spec: Spec;
  /** Absolute. */
  readonly bundle: string;
  readonly cgroup: CgroupJoin;
  /** A directory of ours that the root filesystem is mounted on, as criu wants it. */
  readonly place: string;
  /** The mount that it lies in: it becomes a slave, so that the host does not see what is mounted there. */
  readonly placeMount: string;
  /** Namespaces that criu gets open, after what it is given. */
  readonly namespaces: readonly NamespaceJoin[];
}

/** First of the descriptors that criu gets. */
export const FIRST_GIVEN = 3;

/**
 * What init does to become criu. It has a mount namespace of its own then, in which the root filesystem
 * is mounted in its place; nothing of that is seen outside, and it is gone once criu has ended.
 */
export function planCriu(input: CriuInput): Plan {
  const writer = new PlanWriter(input.host);
  const slots = input.given.map((name) => writer.slot({ kind: "given", name }));
  if (input.restore !== undefined) slots.push(...prepareRestore(writer, input.restore));
  writer.add(
    { op: "inherit", from: "", slots },
    { op: "find_program", from: "", name: input.program, search: input.search },
    { op: "sync", from: "", message: Message.ready },
    {
      op: "exec",
      from: "",
      args: ["criu", "swrk", String(FIRST_GIVEN)],
      env: input.env,
      home: -1,
      self_pid: 0,
    },
  );
  return writer.result();
}

/** Gives the slots of the namespaces. */
function prepareRestore(writer: PlanWriter, input: RestoreInput): number[] {
  const { cgroup, place, placeMount, bundle, spec, namespaces } = input;
  const slots = namespaces.map(({ kind, path, from }) => {
    const slot = writer.freeSlot();
    writer.add({ op: "open_ns", from, slot, kind, path });
    return slot;
  });
  const bornIn = cgroupDirectory(writer, cgroup, false);
  writer.add({ op: "clone", from: "", flags: NAMESPACE_FLAGS.mount, cgroup: bornIn });
  joinCgroup(writer, cgroup, false);
  const from = "root.path";
  const rootfs = cleanPathFrom(bundle, spec.root.path);
  const tree = writer.freeSlot();
  writer.add(
    // Opened first: it is to have the peers of the host's mount, as the container's root has.
    {
      ...{ op: "open_tree", from, slot: tree, source: rootfs },
      ...{ recursive: TreeExtent.whole, nofollow: 0, idmap: -1 },
    },
    { op: "propagation", from, path: placeMount, flags: Propagation.slave },
    { op: "rootfs", from, path: "/", bind: RootBind.unbound, slot: -1 },
    mountOp({ from, kind: MountKind.rbind, source: rootfs, slot: tree, destination: place }),
    { op: "rootfs", from, path: rootfs, bind: RootBind.bound, slot: -1 },
  );
  spec.mounts?.forEach((mount, index) => {
    makeMountPoint(writer, input, mount, `mounts[${index}]`);
  });
  return slots;
}

/**
 * criu finds the mount points there, as if the container had been made. A bind mount is mounted for
 * those below it.
 */
function makeMountPoint(
  writer: PlanWriter,
  { spec: { mounts = [] }, bundle }: RestoreInput,
  mount: Mount,
  from: string,
): void {
  const destination = cleanPathFrom("/", mount.destination);
  const restored = mounts.some((other) =>
    other !== mount && !bindOf(other) && isBelow(destination, cleanPathFrom("/", other.destination))
  );
  const { remount, attrSet, recSet } = parseMountOptions(mount.options ?? []);
  // What is on a filesystem of the container's is restored with it.
  if (restored || remount) return;
  const bind = bindOf(mount);
  if (bind === undefined) {
    writer.add({ op: "mkdir", from, path: destination, mode: 0o755 });
    return;
  }
  writer.add(mountOp({
    from,
    kind: bind === "rbind" ? MountKind.rbind : MountKind.bind,
    source: cleanPathFrom(bundle, mount.source ?? ""),
    destination,
    // Nothing is made below what the container cannot write to.
    attr_set: attrSet & MountAttr.rdonly,
    rec_set: recSet & MountAttr.rdonly,
    create: CreateKind.auto,
  }));
}

function isBelow(path: string, directory: string): boolean {
  return path !== directory && isWithin(path, directory);
}

/** Whether a mount of the configuration is a bind mount, and of which kind. */
export function bindOf({ type, options = [] }: Mount): "bind" | "rbind" | undefined {
  const { bind } = parseMountOptions(options);
  if (bind !== "none") return bind;
  return type === "bind" || type === "rbind" ? type : undefined;
}

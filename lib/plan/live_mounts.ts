/** The plans of mounts in a container that exists. */

import { RuntsError } from "../base/errors.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { cleanPathFrom } from "../base/paths.ts";
import { parseMountOptions } from "../spec/values/mount_options.ts";
import type { Mount, Spec } from "../spec/types/config.ts";
import { Message } from "../wire/messages.ts";
import { type Op, RootBind } from "../wire/ops.ts";
import { bindOf } from "./criu.ts";
import { joinContainer } from "./exec.ts";
import { becomeRoot } from "./identity.ts";
import { planMounts } from "./mounts.ts";
import type { Plan, PlanHost } from "./plan.ts";
import { type Container, PlanWriter } from "./plan_writer.ts";

/** What both plans depend on. */
export interface LiveInput {
  readonly id: string;
  /** The container's own configuration, with the id maps that it has. */
  readonly spec: Spec;
  /** Absolute; relative sources begin there. */
  readonly bundle: string;
  /** Pid of its init. */
  readonly pid: number;
  readonly host: PlanHost;
  /** CLONE_NEW* of the namespaces of init that differ from those of runts. */
  readonly namespaces: number;
}

/**
 * What init does to add one entry of a list of mounts. Slot 0 is the pidfd of the container's init. A
 * source is opened on the host, before the container's namespaces are entered.
 */
export function planAddedMount(input: LiveInput, mount: Mount, index: number): Plan {
  const from = `mounts[${index}]`;
  refuseOthers(mount, from);
  const mapped = (input.namespaces & NAMESPACE_FLAGS.user) !== 0;
  const { host } = input;
  // Only user namespaces lock attributes of what lies below a source.
  const writer = new PlanWriter(mapped ? host : { ...host, mountsBelow: () => [] });
  const pidfd = writer.slot({ kind: "pidfd" });
  const users = mapped ? openUsers(writer, input.pid) : undefined;
  const plan = planMounts(writer, containerOf(input, mount, mapped), users);
  const named = (ops: readonly Op[]) => ops.map((op) => ({ ...op, from }));
  writer.add({ op: "unpin", from: "" }, ...named(plan.early));
  enter(writer, pidfd, input);
  writer.add(...named(plan.ops), ...named(plan.late));
  return finished(writer);
}

/** What init does to take away what is mounted at the destinations, one after the other. */
export function planRemovedMounts(
  input: LiveInput,
  removed: readonly { readonly mount: Mount; readonly index: number }[],
): Plan {
  const writer = new PlanWriter(input.host);
  enter(writer, writer.slot({ kind: "pidfd" }), input);
  for (const { mount, index } of removed) {
    const path = cleanPathFrom("", mount.destination);
    writer.add({ op: "unmount", from: `mounts[${index}]`, path });
  }
  return finished(writer);
}

/** The others need namespaces, devices or directories that only create sees to. */
function refuseOthers(mount: Mount, from: string): void {
  const { options = [], type } = mount;
  const { remount, copySymlink } = parseMountOptions(options);
  if (!remount && !copySymlink && (bindOf(mount) !== undefined || type === "tmpfs")) return;
  throw new RuntsError("only bind mounts and tmpfs can be added to a container that exists", {
    configPath: from,
    ...((remount || copySymlink) && { hint: 'without the options "remount" and "copy-symlink"' }),
  });
}

/** The namespace that maps the ids of the container, for mounts that have the option `idmap`. */
function openUsers(writer: PlanWriter, pid: number): number {
  const slot = writer.freeSlot();
  const path = `/proc/${pid}/ns/user`;
  writer.add({ op: "open_ns", from: "", slot, kind: NAMESPACE_FLAGS.user, path });
  return slot;
}

/** For the planner of mounts: every source is on the host, and is opened beforehand. */
function containerOf(input: LiveInput, mount: Mount, mapped: boolean): Container {
  const { id, bundle, host, spec, namespaces } = input;
  return {
    input: {
      ...{ id, bundle, host, spec: { ...spec, mounts: [mount] } },
      ...{ cgroup: { files: [], moved: false }, noPivot: false, noNewKeyring: true },
      ...{ console: false, preserveFds: 0 },
    },
    linux: spec.linux ?? {},
    namespaces: { fresh: 0, joined: namespaces, joins: [] },
    rootfs: "/",
    userNamespace: mapped,
    mountNamespace: false,
    openEarly: true,
  };
}

/** As the root of the container, whom what is made belongs to. */
function enter(writer: PlanWriter, pidfd: number, { namespaces, spec, host }: LiveInput): void {
  const { user, mount } = NAMESPACE_FLAGS;
  // What of the host is open must not be had from inside.
  writer.add({ op: "dumpable", from: "", value: 0 });
  joinContainer(writer, pidfd, namespaces & (user | mount));
  if (namespaces & user) becomeRoot(writer, spec.linux, host.setgroupsDenied ? 1 : 0);
  writer.add({ op: "rootfs", from: "root.path", path: "/", bind: RootBind.unbound, slot: -1 });
}

/** Its end is that of the conversation. */
function finished(writer: PlanWriter): Plan {
  writer.add({ op: "sync", from: "", message: Message.ready });
  return writer.result();
}

/** The plan of a container: config.json → operations. */

import { cleanPathFrom } from "../base/paths.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { quote } from "../base/errors.ts";
import { sysctlPath } from "../spec/values/sysctl.ts";
import type { Process } from "../spec/types/config.ts";
import { Message } from "../wire/messages.ts";
import { planDevices } from "./devices.ts";
import { type Container, PlanWriter } from "./plan_writer.ts";
import { composeEnvironment } from "./environment.ts";
import { becomeRoot, readIdentity } from "./identity.ts";
import { lateCgroup } from "./late_cgroup.ts";
import { planMounts } from "./mounts.ts";
import { type Op, TreeExtent } from "../wire/ops.ts";
import {
  enterCgroup,
  enterNamespaces,
  joinNamespaces,
  openNamespaces,
  PROC_SUPER_MAGIC,
  readNamespaces,
  resetAffinity,
} from "./namespaces.ts";
import {
  closeDescriptors,
  confine,
  execute,
  joinKeyring,
  openConsole,
  ownStreams,
  type Program,
  raiseLimits,
  setOomScore,
  setScheduling,
} from "./process.ts";
import {
  addHookLimits,
  addHooks,
  addHookState,
  enterRootfs,
  openRootfs,
  partFromHost,
} from "./rootfs.ts";
import type { ContainerInput, ContainerPlan } from "./plan.ts";
import { planRootMount } from "./system_root.ts";
import {
  addInnerHooks,
  addTerminals,
  bootIdFile,
  bootIdMount,
  byRule,
  writableOps,
} from "./system_ops.ts";

/** Stands for a process that the configuration does not have; there is nothing to start then. */
const NO_PROCESS: Process = { args: [], cwd: "/", user: { uid: 0, gid: 0 } };

/**
 * What init does to become the container's first process.
 * Throws RuntsError for what the configuration asks and no plan can do.
 */
export function planContainer(input: ContainerInput): ContainerPlan {
  const writer = new PlanWriter(input.host);
  const container = readContainer(input);
  const { linux, namespaces, rootfs, userNamespace } = container;
  const process = input.spec.process ?? NO_PROCESS;
  const identity = readIdentity(writer, input.spec, process);
  const notify = input.notifyDirectory !== undefined;
  const environment = composeEnvironment(process.env ?? [], input, notify);
  const hooks = (input.spec.hooks?.startContainer?.length ?? 0) > 0;
  const program: Program = { process, options: input, identity, environment, hooks };

  // Stage 1, in the host's namespaces.
  setOomScore(writer, process.oomScoreAdj);
  raiseLimits(writer, process.rlimits, userNamespace);
  const slots = openNamespaces(writer, namespaces);
  const mounts = planMounts(writer, container, slots.get(NAMESPACE_FLAGS.user));
  const root = planRootMount(writer, container, slots.get(NAMESPACE_FLAGS.user));
  openOutside(writer, container, [...mounts.early, ...root.early]);
  const rootSlot = openEarly(writer, container);
  const { system } = input;
  const devices = devicesOf(writer, container, slots.get(NAMESPACE_FLAGS.user));
  writer.add(...devices.early, ...mounts.locks);
  joinNamespaces(writer, namespaces, slots);
  const late = lateCgroup(writer, container, mounts);
  enterNamespaces(writer, container, slots, late !== undefined);

  // Stage 2.
  closeDescriptors(writer, input);
  if (userNamespace) becomeRoot(writer, linux, identity.groupsMode);
  startSession(writer, container, process);
  if (late === undefined) resetAffinity(writer, input.cgroup);
  setKernel(writer, container);
  partFromHost(writer, container);
  addInnerHooks(writer, input, "pre-mount");
  openRootfs(writer, container, rootSlot);
  writer.add(...root.ops, ...byRule(mounts.ops.slice(0, late), system));
  if (late !== undefined) {
    enterCgroup(writer, container, slots);
    writer.add(...mounts.ops.slice(late));
  }
  addInnerHooks(writer, input, "mount");
  addInnerHooks(writer, input, "autodev");
  writer.add(...devices.ops, ...bootIdFile(system));
  addCreateHooks(writer, input);
  if (system === undefined) openConsole(writer, process, input, container.mountNamespace);
  else addTerminals(writer, input);
  writer.add(...mounts.late);
  enterRootfs(writer, container);
  writer.add(...writableOps(system), ...bootIdMount(system), ...mounts.last);
  if (system?.reaper) writer.add({ op: "reaper", from: "" });
  ownStreams(writer, userNamespace);
  setScheduling(writer, process, linux.memoryPolicy, linux.personality);
  confine(writer, program, true, () => addLast(writer, input));

  // The start.
  const [fifo, result] = [writer.slot({ kind: "fifo" }), writer.slot({ kind: "result" })];
  writer.add({ op: "wait_start", from: "", fifo, result });
  execute(writer, program, () => addHooks(writer, input.spec, "startContainer"));
  return { ...writer.result(), rootfs };
}

/** What is opened in the host's mount namespace, for another one. */
function openOutside(writer: PlanWriter, container: Container, ops: readonly Op[]): void {
  if (container.mountNamespace && (container.openEarly || ops.length > 0)) {
    writer.add({ op: "unpin", from: "" });
  }
  writer.add(...ops);
}

function devicesOf(
  writer: PlanWriter,
  container: Container,
  userSlot: number | undefined,
): ReturnType<typeof planDevices> {
  const isWithout = container.input.system?.populateDev === false;
  return isWithout ? { early: [], ops: [] } : planDevices(writer, container, userSlot);
}

/** Those of createContainer, and what those of startContainer read. */
function addCreateHooks(writer: PlanWriter, { spec }: ContainerInput): void {
  addHookState(writer, spec, "createContainer", "creating");
  addHookLimits(writer, spec);
  addHooks(writer, spec, "createContainer");
  addHookState(writer, spec, "startContainer", "created");
}

/** What the init of a system does before it waits. */
function addLast(writer: PlanWriter, input: ContainerInput): void {
  addInnerHooks(writer, input, "start");
  if (input.system?.ownCores) {
    writer.add({ op: "sched_core", from: "beyond.security.coreScheduling" });
  }
  const signal = input.system?.parentDeath ?? 0;
  if (signal > 0) writer.add({ op: "parent_death", from: "beyond.signals.parentDeath", signal });
}

/** What the parts of a plan look at. */
export function readContainer(input: ContainerInput): Container {
  const linux = input.spec.linux ?? {};
  const namespaces = readNamespaces(linux);
  const all = namespaces.fresh | namespaces.joined;
  const userNamespace = (all & NAMESPACE_FLAGS.user) !== 0;
  return {
    input,
    linux,
    namespaces,
    rootfs: cleanPathFrom(input.bundle, input.spec.root.path),
    userNamespace,
    mountNamespace: (all & NAMESPACE_FLAGS.mount) !== 0,
    openEarly: userNamespace && input.host.euid === 0,
  };
}

/** The slot of the root filesystem if the container's root may not be able to reach it, or -1. */
function openEarly(writer: PlanWriter, container: Container): number {
  if (!container.openEarly || !container.mountNamespace) return -1;
  const slot = writer.freeSlot();
  writer.add({
    op: "open_tree",
    from: "root.path",
    slot,
    source: container.rootfs,
    recursive: TreeExtent.whole,
    nofollow: 0,
    idmap: -1,
  });
  return slot;
}

function startSession(writer: PlanWriter, { input }: Container, process: Process): void {
  const { id, noNewKeyring, system } = input;
  writer.add({ op: "setsid", from: "" });
  if (!noNewKeyring) joinKeyring(writer, id, process.selinuxLabel, system?.keyringContext);
}

/** What belongs to the namespaces: while the host's procfs is in view. */
function setKernel(writer: PlanWriter, { input, linux, namespaces }: Container): void {
  const { hostname, domainname } = input.spec;
  writer.add({
    op: input.unattended ? "tell" : "sync",
    from: "linux.namespaces",
    message: Message.namespaces,
  });
  if (namespaces.fresh & NAMESPACE_FLAGS.network) writer.add({ op: "loopback_up", from: "" });
  if (hostname) writer.add({ op: "hostname", from: "hostname", name: hostname });
  if (domainname) writer.add({ op: "domainname", from: "domainname", name: domainname });
  for (const [name, data] of Object.entries(linux.sysctl ?? {})) {
    const path = `/proc/sys/${sysctlPath(name)}`;
    const from = `linux.sysctl[${quote(name)}]`;
    writer.add({ op: "write_file", from, path, data, magic: PROC_SUPER_MAGIC });
  }
}

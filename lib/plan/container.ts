/** The plan of a container: config.json → operations. */

import { quote } from "../errors.ts";
import { sysctlPath } from "../spec/sysctl.ts";
import type { Process } from "../spec/types.ts";
import { Message } from "../sync.ts";
import { addDevices } from "./devices.ts";
import { absolutePath, type Container, Draft } from "./draft.ts";
import { composeEnvironment } from "./environment.ts";
import { becomeRoot, readIdentity } from "./identity.ts";
import { planMounts } from "./mounts.ts";
import { TreeExtent } from "./ops.ts";
import {
  enterNamespaces,
  joinNamespaces,
  NAMESPACE_FLAGS,
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
  type Program,
  raiseLimits,
  setOomScore,
  setScheduling,
} from "./process.ts";
import { addHooks, enterRootfs, openRootfs } from "./rootfs.ts";
import type { ContainerInput, ContainerPlan } from "./types.ts";

/** Stands for a process that the configuration does not have; there is nothing to start then. */
const NO_PROCESS: Process = { args: [], cwd: "/", user: { uid: 0, gid: 0 } };

/**
 * What init does to become the container's first process.
 * Throws RuntsError for what the configuration asks and no plan can do.
 */
export function planContainer(input: ContainerInput): ContainerPlan {
  const draft = new Draft(input.host);
  const container = readContainer(input);
  const { linux, namespaces, rootfs, userNamespace } = container;
  const process = input.spec.process ?? NO_PROCESS;
  const identity = readIdentity(draft, input.spec, process);
  const notify = input.notifyDirectory !== undefined;
  const environment = composeEnvironment(process.env ?? [], input, notify);
  const program: Program = { process, options: input, identity, environment };

  // Stage 1, in the host's namespaces.
  setOomScore(draft, process.oomScoreAdj);
  if (userNamespace) raiseLimits(draft, process.rlimits);
  const slots = openNamespaces(draft, namespaces);
  const mounts = planMounts(draft, container, slots.get(NAMESPACE_FLAGS.user));
  draft.add(...mounts.early);
  const rootSlot = openEarly(draft, container);
  joinNamespaces(draft, namespaces, slots);
  const clones = enterNamespaces(draft, container, slots);

  // Stage 2.
  closeDescriptors(draft, input);
  if (userNamespace) becomeRoot(draft, linux, identity.groupsMode);
  startSession(draft, container, process);
  setKernel(draft, container);
  openRootfs(draft, container, rootSlot);
  draft.add(...mounts.ops);
  addDevices(draft, container);
  addHooks(draft, input.spec, "createContainer", environment.env);
  openConsole(draft, process, input, container.mountNamespace);
  draft.add(...mounts.late);
  enterRootfs(draft, container);
  setScheduling(draft, process, linux.memoryPolicy, linux.personality);
  confine(draft, program, true);

  // The start.
  if (input.start === "fifo") {
    const [fifo, result] = [draft.slot({ kind: "fifo" }), draft.slot({ kind: "result" })];
    draft.add({ op: "wait_start", from: "", fifo, result });
  }
  addHooks(draft, input.spec, "startContainer", environment.env);
  execute(draft, program);
  const needsMaps = (namespaces.fresh & NAMESPACE_FLAGS.user) !== 0;
  return { ...draft.result(), needsMaps, clones, rootfs };
}

function readContainer(input: ContainerInput): Container {
  const linux = input.spec.linux ?? {};
  const namespaces = readNamespaces(linux);
  const all = namespaces.fresh | namespaces.joined;
  const userNamespace = (all & NAMESPACE_FLAGS.user) !== 0;
  return {
    input,
    linux,
    namespaces,
    rootfs: absolutePath(input.spec.root.path, input.bundle),
    userNamespace,
    mountNamespace: (all & NAMESPACE_FLAGS.mount) !== 0,
    openEarly: userNamespace && input.host.euid === 0,
  };
}

/** The slot of the root filesystem if the container's root may not be able to reach it, or -1. */
function openEarly(draft: Draft, container: Container): number {
  if (!container.openEarly || !container.mountNamespace) return -1;
  const slot = draft.freeSlot();
  draft.add({
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

function startSession(draft: Draft, { input }: Container, process: Process): void {
  const { id, cgroup, noNewKeyring } = input;
  draft.add({ op: "setsid", from: "" });
  if (!noNewKeyring) joinKeyring(draft, id, process.selinuxLabel);
  resetAffinity(draft, cgroup);
}

/** What belongs to the namespaces: while the host's procfs is in view. */
function setKernel(draft: Draft, { input, linux, namespaces }: Container): void {
  const { hostname, domainname } = input.spec;
  draft.add({ op: "sync", from: "linux.namespaces", message: Message.namespaces });
  if (namespaces.fresh & NAMESPACE_FLAGS.network) draft.add({ op: "loopback_up", from: "" });
  if (hostname) draft.add({ op: "hostname", from: "hostname", name: hostname });
  if (domainname) draft.add({ op: "domainname", from: "domainname", name: domainname });
  for (const [name, data] of Object.entries(linux.sysctl ?? {})) {
    const path = `/proc/sys/${sysctlPath(name)}`;
    const from = `linux.sysctl[${quote(name)}]`;
    draft.add({ op: "write_file", from, path, data, magic: PROC_SUPER_MAGIC });
  }
}

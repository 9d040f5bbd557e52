/** The plan of one more process in a running container. */

import { numberMask } from "../base/numbers.ts";
import { PlanWriter } from "./plan_writer.ts";
import { composeEnvironment } from "./environment.ts";
import { becomeRoot, readIdentity } from "./identity.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { cgroupDirectory, joinCgroup, resetAffinity } from "./namespaces.ts";
import { MountAttr, Propagation } from "../spec/values/mount_options.ts";
import { mountOp } from "./mount_op.ts";
import { EnterMethod, RootBind } from "../wire/ops.ts";
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
import type { ExecInput, Plan } from "./plan.ts";

/** What init does to become that process. Slot 0 is the pidfd of the container's init. */
export function planExec(input: ExecInput): Plan {
  const writer = new PlanWriter(input.host);
  const pidfd = writer.slot({ kind: "pidfd" });
  const { process, spec, namespaces, root } = input;
  const inUser = (namespaces & NAMESPACE_FLAGS.user) !== 0;
  const identity = readIdentity(writer, spec, process);
  const environment = composeEnvironment(process.env ?? [], input, false);
  const program: Program = { process, options: input, identity, environment, hooks: false };

  setOomScore(writer, process.oomScoreAdj ?? spec.process?.oomScoreAdj);
  // What of the host is still open must not be had from inside (CVE-2016-9962). Only now, since
  // the files of a process that is not dumpable in /proc belong to root.
  writer.add({ op: "dumpable", from: "", value: 0 });
  raiseLimits(writer, process.rlimits, false);
  setAffinity(writer, process.execCPUAffinity?.initial, "initial");
  joinContainer(writer, pidfd, namespaces);
  const born = cgroupDirectory(writer, input.cgroup, inUser);
  writer.add({ op: "clone", from: "", flags: 0, cgroup: born });
  joinCgroup(writer, input.cgroup, inUser);
  // Where namespaces delegate (mount option nsdelegate), nobody enters a cgroup from a namespace that
  // does not see the cgroup left (cgroup_namespaces(7)): ENOENT.
  if (namespaces & NAMESPACE_FLAGS.cgroup) {
    writer.add({ op: "setns", from: "", slot: pidfd, kind: NAMESPACE_FLAGS.cgroup, defer: 0 });
  }

  closeDescriptors(writer, input);
  if (inUser) becomeRoot(writer, spec.linux, identity.groupsMode);
  writer.add({ op: "setsid", from: "" });
  if (!input.noNewKeyring) joinKeyring(writer, input.id, process.selinuxLabel);
  if (process.execCPUAffinity) setAffinity(writer, process.execCPUAffinity.final, "final");
  else resetAffinity(writer, input.cgroup);
  if (root !== undefined) {
    writer.add(
      { op: "rootfs", from: "root.path", path: root, bind: RootBind.unbound, slot: -1 },
      { op: "enter_root", from: "root.path", method: EnterMethod.chroot },
    );
  }
  if (input.remounts) mountViews(writer);
  openConsole(writer, process, input, false);
  ownStreams(writer, inUser);
  setScheduling(writer, process, spec.linux?.memoryPolicy, spec.linux?.personality);
  confine(writer, program, false);
  execute(writer, program, () => {});
  return writer.result();
}

/** /proc and /sys as the namespaces have them; nobody else sees these mounts. */
function mountViews(writer: PlanWriter): void {
  const flags = Propagation.slave | Propagation.recursive;
  writer.add(
    { op: "unshare", from: "", flags: NAMESPACE_FLAGS.mount },
    { op: "propagation", from: "", path: "/", flags },
    { op: "rootfs", from: "", path: "/", bind: RootBind.unbound, slot: -1 },
    ...[["proc", "/proc"], ["sysfs", "/sys"]].map(([fstype, destination]) =>
      mountOp({ fstype: fstype!, source: fstype!, destination: destination!, attr_set: VIEW })
    ),
  );
}

const VIEW = MountAttr.nosuid | MountAttr.nodev | MountAttr.noexec;

function setAffinity(
  writer: PlanWriter,
  list: string | undefined,
  when: "initial" | "final",
): void {
  const mask = numberMask(list ?? "");
  if (mask.length === 0) return;
  writer.add({ op: "affinity", from: `process.execCPUAffinity.${when}`, mask });
}

/**
 * All but the cgroup namespace. Without a user namespace all at once. With one, those of the host's
 * that root may enter come first, and the rest after it, as in joinNamespaces; each kind for itself,
 * since a refused one refuses those that were asked for together with it.
 */
export function joinContainer(writer: PlanWriter, slot: number, namespaces: number): void {
  const { user, mount, cgroup } = NAMESPACE_FLAGS;
  const join = (kind: number, defer: number) =>
    writer.add({ op: "setns", from: "", slot, kind, defer });
  const early = namespaces & ~cgroup;
  if (!(namespaces & user)) return early === 0 ? undefined : join(early, 0);
  const others = Object.values(NAMESPACE_FLAGS)
    .filter((kind) => kind !== user && kind !== mount && kind & namespaces);
  if (namespaces & mount) others.push(mount);
  if (writer.host.euid === 0) others.forEach((kind) => join(kind, 1));
  join(user, 0);
  others.filter((kind) => kind !== cgroup).forEach((kind) => join(kind, 0));
}

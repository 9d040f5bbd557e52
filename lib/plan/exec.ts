/** The plan of one more process in a running container. */

import { numberMask } from "../number_list.ts";
import { Draft } from "./draft.ts";
import { composeEnvironment } from "./environment.ts";
import { becomeRoot, readIdentity } from "./identity.ts";
import { cgroupDirectory, joinCgroup, NAMESPACE_FLAGS, resetAffinity } from "./namespaces.ts";
import { EnterMethod, RootBind } from "./ops.ts";
import {
  closeDescriptors,
  confine,
  execute,
  joinKeyring,
  openConsole,
  type Program,
  setOomScore,
  setScheduling,
} from "./process.ts";
import type { ExecInput, Plan } from "./types.ts";

/** What init does to become that process. Slot 0 is the pidfd of the container's init. */
export function planExec(input: ExecInput): Plan {
  const draft = new Draft(input.host);
  const pidfd = draft.slot({ kind: "pidfd" });
  const { process, spec, namespaces, root } = input;
  const inUser = (namespaces & NAMESPACE_FLAGS.user) !== 0;
  const identity = readIdentity(draft, spec, process);
  const environment = composeEnvironment(process.env ?? [], input, false);
  const program: Program = { process, options: input, identity, environment };

  setOomScore(draft, process.oomScoreAdj ?? spec.process?.oomScoreAdj);
  // What of the host is still open must not be had from inside (CVE-2016-9962). Only now, since
  // the files of a process that is not dumpable in /proc belong to root.
  draft.add({ op: "dumpable", from: "", value: 0 });
  setAffinity(draft, process.execCPUAffinity?.initial, "initial");
  joinAll(draft, pidfd, namespaces);
  const born = cgroupDirectory(draft, input.cgroup, inUser);
  draft.add({ op: "clone", from: "", flags: 0, cgroup: born });
  joinCgroup(draft, input.cgroup, inUser);
  // Where namespaces delegate (mount option nsdelegate), nobody enters a cgroup from a namespace that
  // does not see the cgroup left (cgroup_namespaces(7)): ENOENT.
  if (namespaces & NAMESPACE_FLAGS.cgroup) {
    draft.add({ op: "setns", from: "", slot: pidfd, kind: NAMESPACE_FLAGS.cgroup, defer: 0 });
  }

  closeDescriptors(draft, input);
  if (inUser) becomeRoot(draft, spec.linux, identity.groupsMode);
  draft.add({ op: "setsid", from: "" });
  if (!input.noNewKeyring) joinKeyring(draft, input.id, process.selinuxLabel);
  if (process.execCPUAffinity) setAffinity(draft, process.execCPUAffinity.final, "final");
  else resetAffinity(draft, input.cgroup);
  if (root !== undefined) {
    draft.add(
      { op: "rootfs", from: "root.path", path: root, bind: RootBind.unbound, slot: -1 },
      { op: "enter_root", from: "root.path", method: EnterMethod.chroot },
    );
  }
  openConsole(draft, process, input, false);
  setScheduling(draft, process, spec.linux?.memoryPolicy, spec.linux?.personality);
  confine(draft, program, false);
  execute(draft, program);
  return draft.result();
}

function setAffinity(draft: Draft, list: string | undefined, when: "initial" | "final"): void {
  const mask = numberMask(list ?? "");
  if (mask.length === 0) return;
  draft.add({ op: "affinity", from: `process.execCPUAffinity.${when}`, mask });
}

/**
 * All but the cgroup namespace. Without a user namespace all at once. With one, those of the host's
 * that root may enter come first, and the rest after it, as in joinNamespaces; each kind for itself,
 * since a refused one refuses those that were asked for together with it.
 */
function joinAll(draft: Draft, slot: number, namespaces: number): void {
  const { user, mount, cgroup } = NAMESPACE_FLAGS;
  const join = (kind: number, defer: number) =>
    draft.add({ op: "setns", from: "", slot, kind, defer });
  const early = namespaces & ~cgroup;
  if (!(namespaces & user)) return early === 0 ? undefined : join(early, 0);
  const others = Object.values(NAMESPACE_FLAGS)
    .filter((kind) => kind !== user && kind !== mount && kind & namespaces);
  if (namespaces & mount) others.push(mount);
  if (draft.host.euid === 0) others.forEach((kind) => join(kind, 1));
  join(user, 0);
  others.filter((kind) => kind !== cgroup).forEach((kind) => join(kind, 0));
}

/** The plan of a program in new namespaces, which is no container: it sees the caller's files. */

import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { MountAttr, Propagation } from "../spec/values/mount_options.ts";
import { Message } from "../wire/messages.ts";
import { CreateKind, RootBind } from "../wire/ops.ts";
import { readContainer } from "./container.ts";
import { composeEnvironment } from "./environment.ts";
import { becomeRoot, readIdentity } from "./identity.ts";
import { mountOp } from "./mount_op.ts";
import { enterNamespaces } from "./namespaces.ts";
import type { ContainerInput, Plan } from "./plan.ts";
import { PlanWriter } from "./plan_writer.ts";
import { closeDescriptors, confine, execute, type Program } from "./process.ts";

/** Filesystems that belong to the namespaces. */
const OWN = [["proc", "/proc"], ["tmpfs", "/dev/shm"], ["mqueue", "/dev/mqueue"]] as const;

/**
 * What init does to execute the program.
 *
 * @param remounts with what belongs to the namespaces mounted anew
 */
export function planUnshare(input: ContainerInput, remounts: boolean): Plan {
  const writer = new PlanWriter(input.host);
  const container = readContainer(input);
  const { spec: { hostname, process } } = input;
  const { linux, namespaces: { fresh }, userNamespace, mountNamespace } = container;
  const identity = readIdentity(writer, input.spec, process!);
  const environment = composeEnvironment(process!.env ?? [], input, false);
  const program: Program = {
    process: process!,
    options: input,
    identity,
    environment,
    hooks: false,
  };
  enterNamespaces(writer, container, new Map(), false);
  closeDescriptors(writer, input);
  if (userNamespace) becomeRoot(writer, linux, identity.groupsMode);
  if (fresh & NAMESPACE_FLAGS.network) {
    writer.add({ op: "sync", from: "linux.namespaces", message: Message.namespaces });
  }
  if (hostname !== undefined) writer.add({ op: "hostname", from: "hostname", name: hostname });
  if (mountNamespace) addMounts(writer, remounts);
  confine(writer, program, false);
  execute(writer, program, () => {});
  return writer.result();
}

/** Nothing that is mounted reaches the host. */
function addMounts(writer: PlanWriter, remounts: boolean): void {
  const flags = Propagation.slave | Propagation.recursive;
  writer.add({ op: "propagation", from: "", path: "/", flags });
  if (!remounts) return;
  writer.add({ op: "rootfs", from: "", path: "/", bind: RootBind.unbound, slot: -1 });
  for (const [fstype, destination] of OWN) {
    writer.add(mountOp({
      fstype,
      source: fstype,
      destination,
      attr_set: MountAttr.nosuid | MountAttr.nodev | MountAttr.noexec,
      create: fstype === "mqueue" ? CreateKind.directory : CreateKind.none,
    }));
  }
}

/** Device nodes and links of /dev. */

import { quote, RuntsError } from "../base/errors.ts";
import { NAMESPACE_FLAGS, S_IFBLK, S_IFCHR, S_IFIFO } from "../base/linux.ts";
import { cleanPathFrom } from "../base/paths.ts";
import type { Device, Linux } from "../spec/types/config.ts";
import { type Container, type PlanWriter } from "./plan_writer.ts";
import { highestId } from "./identity.ts";
import { NodeGiven, NodeSource, type Op, type OpOf } from "../wire/ops.ts";
import { isInProc } from "./proc.ts";

const DEFAULT_MODE = 0o666;

/** config-linux.md, "Default Devices"; /dev/console and /dev/ptmx come apart. */
const DEFAULT_DEVICES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
];

/** runtime-linux.md, "Dev symbolic links", and what else programs expect. */
const LINKS: readonly (readonly [name: string, target: string])[] = [
  ["fd", "/proc/self/fd"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
  ["stderr", "/proc/self/fd/2"],
  ["core", "/proc/kcore"],
];

/** Whether /dev is the host's own, where nothing is made but what the configuration lists. */
function isHosts({ mountNamespace, rootfs, input }: Container): boolean {
  const { mounts = [] } = input.spec;
  return !mountNamespace && rootfs === "/" &&
    !mounts.some(({ destination }) => cleanPathFrom("", destination) === "/dev");
}

/** Device nodes and links, by when the operations are performed. */
interface DevicePlan {
  /** In the host's namespaces. */
  readonly early: Op[];
  readonly ops: Op[];
}

/**
 * The nodes, unless /dev is a bind mount, which brings its own. `userSlot`: the user namespace that
 * is joined.
 */
export function planDevices(
  writer: PlanWriter,
  container: Container,
  userSlot: number | undefined,
): DevicePlan {
  const plan: DevicePlan = { early: [], ops: [] };
  const { mounts = [] } = container.input.spec;
  const bound = mounts.findIndex(({ destination, type = "", options = [] }) =>
    cleanPathFrom("", destination) === "/dev" &&
    [type, ...options].some((word) => word === "bind" || word === "rbind")
  );
  if (bound >= 0) return plan;
  const nodes: OpOf<"device">[] = [];
  const { devices = [] } = container.linux;
  const given = new Set(devices.map(({ path }) => path));
  const hosts = isHosts(container);
  for (const [name, major, minor] of hosts ? [] : DEFAULT_DEVICES) {
    const path = `/dev/${name}`;
    if (given.has(path)) continue;
    nodes.push(node(container, { type: "c", path, major, minor }, ""));
  }
  devices.forEach((device, index) => {
    nodes.push(node(container, device, `linux.devices[${index}]`));
  });
  if (container.openEarly && container.mountNamespace) {
    makeNodes(writer, container, plan, nodes, userSlot);
  }
  plan.ops.push(...nodes);
  if (hosts) return plan;
  for (const [name, target] of LINKS) {
    plan.ops.push({ op: "symlink", from: "", target, path: `/dev/${name}`, replace: 0 });
  }
  plan.ops.push({ op: "symlink", from: "", target: "pts/ptmx", path: "/dev/ptmx", replace: 1 });
  return plan;
}

/** Has the nodes made before the user namespace is entered, and gives each its slot. */
function makeNodes(
  writer: PlanWriter,
  { namespaces, linux }: Container,
  plan: DevicePlan,
  nodes: OpOf<"device">[],
  userSlot: number | undefined,
): void {
  const fresh = (namespaces.fresh & NAMESPACE_FLAGS.user) !== 0;
  const slots: number[] = [];
  const store = writer.freeSlot();
  for (const [index, node] of nodes.entries()) {
    if (node.bind !== NodeSource.bind) continue;
    const { from, path, type, mode, major, minor, given } = node;
    const uid = fresh ? hostId(linux, "uid", node, (given & NodeGiven.uid) !== 0) : node.uid;
    const gid = fresh ? hostId(linux, "gid", node, (given & NodeGiven.gid) !== 0) : node.gid;
    const slot = writer.freeSlot();
    slots.push(slot);
    const numbers = { type, mode, major, minor, uid, gid };
    // The ids of a namespace that is joined take a process to find out: the default devices do
    // without, and belong to the host's root, as those of the host.
    const userns = fresh || from === "" ? -1 : userSlot ?? -1;
    const label = linux.mountLabel ?? "";
    plan.early.push({ op: "make_node", from, store, slot, path, ...numbers, userns, label });
    nodes[index] = { ...node, slot };
  }
  if (slots.length > 0) plan.ops.push({ op: "open_nodes", from: "", store, slots });
}

/** What the host calls an id. Where nothing is said of it, it is that of the container's root. */
function hostId(linux: Linux, kind: "uid" | "gid", node: OpOf<"device">, given: boolean): number {
  const map = linux[`${kind}Mappings`] ?? [];
  const id = given ? node[kind] : highestId(map);
  const range = map.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  if (range !== undefined) return range.hostID + id - range.containerID;
  if (!given) return 0;
  const configPath = `${node.from}.${kind}`;
  throw new RuntsError(`${id} is not mapped by linux.${kind}Mappings`, { configPath });
}

function node(container: Container, device: Device, from: string): OpOf<"device"> {
  const { type, path, major = 0, minor = 0, fileMode, uid = 0, gid = 0 } = device;
  const nested = container.userNamespace || container.input.host.inUserNamespace;
  const fifo = type === "p";
  if (isInProc(cleanPathFrom("", path))) {
    throw new RuntsError(`${quote(path)} lies in /proc, where there can be no devices`, {
      configPath: `${from}.path`,
    });
  }
  const given = (fileMode === undefined ? 0 : NodeGiven.mode) |
    (device.uid === undefined ? 0 : NodeGiven.uid) | (device.gid === undefined ? 0 : NodeGiven.gid);
  return {
    op: "device",
    from,
    path: cleanPathFrom("", path),
    type: fifo ? S_IFIFO : type === "b" ? S_IFBLK : S_IFCHR,
    mode: (fileMode ?? DEFAULT_MODE) & 0o7777,
    major: fifo ? 0 : major,
    minor: fifo ? 0 : minor,
    uid,
    gid,
    // A bind mount beside the container's own mounts would stay on the host.
    bind: fifo || !container.mountNamespace
      ? NodeSource.make
      : nested
      ? NodeSource.bind
      : NodeSource.either,
    source: path,
    given,
    slot: -1,
  };
}

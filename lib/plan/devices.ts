/** Device nodes and links of /dev. */

import { cleanPathFrom } from "../base/paths.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO } from "../base/linux.ts";
import type { Device } from "../spec/types/config.ts";
import { type Container, type PlanWriter } from "./plan_writer.ts";
import { NodeSource, type Op } from "../wire/ops.ts";

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

/** The nodes, unless /dev is a bind mount, which brings its own. */
export function addDevices(writer: PlanWriter, container: Container): void {
  const { mounts = [] } = container.input.spec;
  const bound = mounts.findIndex(({ destination, type = "", options = [] }) =>
    cleanPathFrom("", destination) === "/dev" &&
    [type, ...options].some((word) => word === "bind" || word === "rbind")
  );
  if (bound >= 0) return;
  const { devices = [] } = container.linux;
  const given = new Set(devices.map(({ path }) => path));
  const hosts = isHosts(container);
  for (const [name, major, minor] of hosts ? [] : DEFAULT_DEVICES) {
    const path = `/dev/${name}`;
    if (given.has(path)) continue;
    writer.add(node(container, { type: "c", path, major, minor }, ""));
  }
  devices.forEach((device, index) => {
    writer.add(node(container, device, `linux.devices[${index}]`));
  });
  if (hosts) return;
  for (const [name, target] of LINKS) {
    writer.add({ op: "symlink", from: "", target, path: `/dev/${name}`, replace: 0 });
  }
  writer.add({ op: "symlink", from: "", target: "pts/ptmx", path: "/dev/ptmx", replace: 1 });
}

function node(container: Container, device: Device, from: string): Op {
  const { type, path, major = 0, minor = 0, fileMode, uid = 0, gid = 0 } = device;
  const nested = container.userNamespace || container.input.host.inUserNamespace;
  const fifo = type === "p";
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
  };
}

/** Which cgroup hierarchies the host has, and where a process is in them (cgroups(7)). */

import { readBytesText } from "../base/bytes.ts";
import { RuntsError } from "../base/errors.ts";
import { isWithin } from "../base/paths.ts";
import { type MountLine, parseMountinfo } from "../base/mountinfo.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** v1: hierarchies by controller; hybrid: the same beside a cgroup2 mount; v2: cgroup2 alone. */
type CgroupMode = "v1" | "hybrid" | "v2";

/** One controller's hierarchy. Co-mounted controllers share the mount. */
export interface Hierarchy {
  /** `memory`, `name=systemd`, or "" for cgroup v2. */
  readonly controller: string;
  readonly mountPoint: string;
  /** The cgroup that the process is in, below the mount point: "" or `/a/b`. */
  readonly own: string;
}

/** The host's cgroups. */
export interface CgroupHost {
  readonly mode: CgroupMode;
  readonly hierarchies: readonly Hierarchy[];
}

const USUAL_PLACE = "/sys/fs/cgroup";

/** What is mounted, as the caller sees it. Throws when no cgroup file system is. */
export function detectHost({ host }: Pick<Runtime, "host">): CgroupHost {
  return host.get(lookAtHost);
}

function lookAtHost(proc: string): CgroupHost {
  return parseHost(readBytesText(`${proc}/mountinfo`), readBytesText(`${proc}/cgroup`));
}

/** The hierarchy of a controller, or undefined when it is not mounted. */
export function hierarchyOf(host: CgroupHost, controller: string): Hierarchy | undefined {
  return host.hierarchies.find((hierarchy) => hierarchy.controller === controller);
}

/** Composes the host from the text of proc_pid_mountinfo(5) and of /proc/PID/cgroup. */
export function parseHost(mountinfo: string, ownCgroups: string): CgroupHost {
  const own = parseOwn(ownCgroups);
  const found = new Map<string, Hierarchy>();
  for (const mount of parseMountinfo(mountinfo, "cgroup")) addMount(mount, own, found);
  const hierarchies = [...found.values()];
  if (hierarchies.length === 0) {
    throw new RuntsError("find the cgroup file system", {
      cause: "none is mounted",
      hint: "mount cgroup2 on /sys/fs/cgroup, or use --cgroup-manager=disabled",
    });
  }
  const v1 = hierarchies.some(({ controller }) => controller !== "");
  return { mode: !found.has("") ? "v1" : v1 ? "hybrid" : "v2", hierarchies };
}

/** Lines of `ID:CONTROLLER,CONTROLLER:PATH`; the path may itself hold colons. */
function parseOwn(text: string): Map<string, string> {
  const own = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, ...path] = line.split(":");
    for (const name of controllers?.split(",") ?? []) own.set(name, path.join(":"));
  }
  return own;
}

function addMount(
  { root, path: mountPoint, type, superOptions }: MountLine,
  own: Map<string, string>,
  found: Map<string, Hierarchy>,
): void {
  const names = type === "cgroup2" ? [""] : type === "cgroup" ? superOptions.split(",") : [];
  for (const controller of names) {
    const path = own.get(controller);
    // Mount options that are no controllers (rw, xattr) have no line in /proc/PID/cgroup.
    if (path === undefined) continue;
    const known = found.get(controller);
    if (known !== undefined && !preferred(mountPoint, known.mountPoint)) continue;
    found.set(controller, { controller, mountPoint, own: below(root, path) });
  }
}

/** A second mount of a hierarchy counts only if it is the one in the usual place. */
function preferred(mountPoint: string, known: string): boolean {
  return isWithin(mountPoint, USUAL_PLACE) && !isWithin(known, USUAL_PLACE);
}

/** `path` as seen below the mounted directory `root`. */
function below(root: string, path: string): string {
  if (path === root || path === "/") return "";
  return root !== "/" && isWithin(path, root) ? path.slice(root.length) : path;
}

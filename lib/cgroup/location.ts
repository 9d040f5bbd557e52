/** Where a container's cgroup is: runc's rules, so that clients find what they asked for. */

import { quote, RuntsError } from "../base/errors.ts";
import { isWithin, normalize } from "../base/paths.ts";
import type { CgroupHost, Hierarchy } from "./hierarchies.ts";

/**
 * Directories of a container by controller.
 *
 * An absolute cgroupsPath is below each hierarchy's mount point. A relative one, and the id when
 * there is no path, is below the cgroup of runts in that hierarchy; on v2 below that cgroup's
 * parent, because a cgroup that holds processes cannot have children with controllers.
 */
export function containerPaths(
  host: CgroupHost,
  id: string,
  cgroupsPath: string | undefined,
): Record<string, string> {
  const wanted = cgroupsPath || id;
  const path = normalize(wanted);
  if (path === "") {
    throw new RuntsError(`use cgroup ${quote(wanted)}`, {
      configPath: "linux.cgroupsPath",
      cause: "it is the root of the hierarchy, which no container can have",
    });
  }
  const absolute = wanted.startsWith("/");
  const paths: Record<string, string> = {};
  for (const hierarchy of host.hierarchies) {
    const base = absolute ? "" : baseOf(host, hierarchy);
    paths[hierarchy.controller] = hierarchy.mountPoint + base + path;
  }
  return paths;
}

/** The directories that a path below every mount point stands for (crun's `cgroup-path`). */
export function pathsBelowMounts(host: CgroupHost, path: string): Record<string, string> {
  const below = normalize(path);
  const entries = host.hierarchies.map((h) => [h.controller, h.mountPoint + below] as const);
  return Object.fromEntries(entries);
}

/**
 * The recorded directories that are in view. A record can be damaged or made up, and what it names is
 * going to be killed and removed: only a cgroup below a mount point that does not hold runts passes.
 */
export function recordedPaths(
  host: CgroupHost,
  paths: Readonly<Record<string, string>>,
): Record<string, string> {
  const known: Record<string, string> = {};
  for (const [controller, directory] of Object.entries(paths)) {
    const hierarchy = host.hierarchies.find((one) => one.controller === controller);
    if (hierarchy === undefined) continue;
    const { mountPoint, own } = hierarchy;
    const below = isWithin(directory, mountPoint) ? directory.slice(mountPoint.length) : "";
    if (below === "" || normalize(below) !== below) {
      throw refuseRecorded(directory, `it is no cgroup below ${quote(mountPoint)}`);
    }
    if (isWithin(own, below)) throw refuseRecorded(directory, "runts itself is in it");
    known[controller] = directory;
  }
  return known;
}

function refuseRecorded(directory: string, cause: string): RuntsError {
  return new RuntsError(`use recorded cgroup ${quote(directory)}`, { cause });
}

/** The path below the mount point that stands for a container in records. */
export function recordPath(host: CgroupHost, paths: Readonly<Record<string, string>>): string {
  const order = ["", "freezer", ...Object.keys(paths)];
  const controller = order.find((name) => paths[name] !== undefined);
  const hierarchy = host.hierarchies.find((h) => h.controller === controller);
  return hierarchy ? (paths[hierarchy.controller] ?? "").slice(hierarchy.mountPoint.length) : "";
}

function baseOf(host: CgroupHost, hierarchy: Hierarchy): string {
  if (!hierarchy.own.isWellFormed()) {
    throw new RuntsError(`make a cgroup below ${quote(hierarchy.own)}`, {
      cause: new Error("its name is not UTF-8, and JSON cannot have it"),
    });
  }
  if (host.mode !== "v2") return hierarchy.own;
  return hierarchy.own.slice(0, Math.max(0, hierarchy.own.lastIndexOf("/")));
}

/** Choosing a container's cgroup manager; that of systemd is loaded when it is chosen. */

import { RuntsError } from "../base/errors.ts";
import { isDirectory, statFile } from "../base/files.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { mainDirectory } from "./directory.ts";
import { DisabledCgroup } from "./disabled.ts";
import { detectHost, hierarchyOf } from "./hierarchies.ts";
import { containerPaths, pathsBelowMounts, recordedPaths } from "./location.ts";
import type { CgroupManager, CgroupRecord, CgroupRequest, Tolerance } from "./manager.ts";
import { CgroupV1 } from "./v1/manager.ts";
import { CgroupV2 } from "./v2/manager.ts";

/** The manager of a container to be created. Nothing is made before its `prepare`. */
export async function makeCgroup(
  runtime: Runtime,
  request: CgroupRequest,
): Promise<CgroupManager> {
  if (request.manager === "disabled") return new DisabledCgroup();
  if (request.manager === "systemd") {
    const { makeScope } = await import("./systemd/manager.ts");
    return await makeScope(runtime, request);
  }
  const host = detectHost(runtime);
  const paths = request.paths === undefined
    ? containerPaths(host, request.id, request.cgroupsPath)
    : recordedPaths(host, request.paths);
  const { rootless } = request;
  return onDirectories(runtime, paths, { rootless, optional: rootless && !request.cgroupsPath });
}

/** The manager of a cgroup beside each of a container's. `name`: its path by that of the container's. */
export function cgroupBeside(
  runtime: Runtime,
  { paths }: CgroupRecord,
  name: (path: string) => string,
): CgroupManager {
  const beside = Object.entries(paths).map(([controller, path]) => [controller, name(path)]);
  const tolerance = { rootless: runtime.rootless, optional: false };
  return onDirectories(runtime, Object.fromEntries(beside), tolerance);
}

/** The manager of a container that exists. */
export async function openCgroup(
  runtime: Runtime,
  record: CgroupRecord,
): Promise<CgroupManager> {
  if (record.kind === "disabled") return new DisabledCgroup();
  const paths = recordedPaths(detectHost(runtime), record.paths);
  const left = record.inodes === undefined ? paths : stillOwn(paths, record.inodes);
  const missing = Object.keys(paths).filter((controller) => left[controller] === undefined);
  if (record.kind !== "systemd") {
    const isLost = missing.length > 0 && Object.keys(left).length === 0;
    return isLost ? await lost(runtime, paths) : onDirectories(runtime, left, undefined, missing);
  }
  const { openScope } = await import("./systemd/manager.ts");
  const scope = await openScope(runtime, record);
  const unit = paths["name=systemd"] === undefined ? "" : "name=systemd";
  if (left[unit] === paths[unit]) return scope;
  // The unit of that name belongs to whoever has its cgroup now.
  return await lost(runtime, paths, isDirectory(paths[unit] ?? "") ? undefined : scope);
}

async function lost(
  runtime: Runtime,
  paths: Readonly<Record<string, string>>,
  left?: CgroupManager,
): Promise<CgroupManager> {
  const { LostCgroup } = await import("./lost.ts");
  return new LostCgroup(runtime, mainDirectory(paths) ?? "", left);
}

/** Without directories that are gone, and those of the same name that somebody has made since. */
function stillOwn(
  paths: Readonly<Record<string, string>>,
  inodes: Readonly<Record<string, number>>,
): Record<string, string> {
  const isKnown = Object.keys(inodes).length > 0;
  const own = Object.entries(paths).filter(([controller, directory]) => {
    const inode = inodeOf(directory);
    return inode !== undefined && (!isKnown || inode === inodes[controller]);
  });
  return Object.fromEntries(own);
}

/** Inode numbers of a container's cgroups, to tell them later from others of the same name. */
export function inodesOf(paths: Readonly<Record<string, string>>): Record<string, number> {
  const inodes: Record<string, number> = {};
  for (const [controller, directory] of Object.entries(paths)) {
    const inode = inodeOf(directory);
    if (inode !== undefined) inodes[controller] = inode;
  }
  return inodes;
}

function inodeOf(directory: string): number | undefined {
  return statFile(directory)?.ino ?? undefined;
}

/**
 * The record of a container that another runtime made, which left only the path. That runtime need
 * not have made a directory in every hierarchy.
 */
export function recordOf(runtime: Runtime, path: string, scope: string): CgroupRecord {
  if (path === "") return { kind: "disabled", path, paths: {} };
  const host = detectHost(runtime);
  const all = Object.entries(pathsBelowMounts(host, path));
  const found = all.filter(([, directory]) => isDirectory(directory));
  const paths = Object.fromEntries(found.length === 0 ? all : found);
  if (scope !== "") return { kind: "systemd", path, scope, paths, inodes: {} };
  return { kind: host.mode === "v2" ? "v2" : "v1", path, paths, inodes: {} };
}

function onDirectories(
  runtime: Runtime,
  paths: Readonly<Record<string, string>>,
  tolerance?: Tolerance,
  missing?: readonly string[],
): CgroupManager {
  const host = detectHost(runtime);
  if (host.mode !== "v2") {
    return new CgroupV1(runtime, paths, tolerance, missing);
  }
  const directory = paths[""];
  const mountPoint = hierarchyOf(host, "")?.mountPoint;
  if (directory === undefined || mountPoint === undefined) {
    throw new RuntsError("open the container's cgroup", {
      cause: "it was made on cgroup v1, and this host has v2 alone",
    });
  }
  return new CgroupV2(runtime, mountPoint, directory, tolerance);
}

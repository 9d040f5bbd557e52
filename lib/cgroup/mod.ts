/** Choosing a container's cgroup manager; that of systemd is loaded when it is chosen. */

import { RuntsError } from "../base/errors.ts";
import { isDirectory } from "../base/files.ts";
import { DisabledCgroup } from "./disabled.ts";
import { detectHost, hierarchyOf } from "./hierarchies.ts";
import { containerPaths, pathsBelowMounts, recordedPaths } from "./location.ts";
import type { CgroupManager, CgroupRecord, CgroupRequest, Tolerance } from "./manager.ts";
import { CgroupV1 } from "./v1/manager.ts";
import { CgroupV2 } from "./v2/manager.ts";

/** The manager of a container to be created. Nothing is made before its `prepare`. */
export async function makeCgroup(request: CgroupRequest): Promise<CgroupManager> {
  if (request.manager === "disabled") return new DisabledCgroup();
  const host = detectHost();
  if (request.manager === "systemd") {
    const { makeScope } = await import("./systemd/manager.ts");
    return await makeScope(host, request);
  }
  const paths = containerPaths(host, request.id, request.cgroupsPath);
  const { rootless } = request;
  return onDirectories(paths, { rootless, optional: rootless && !request.cgroupsPath });
}

/** The manager of a container that exists. */
export async function openCgroup(record: CgroupRecord): Promise<CgroupManager> {
  switch (record.kind) {
    case "disabled":
      return new DisabledCgroup();
    case "systemd": {
      const { openScope } = await import("./systemd/manager.ts");
      return await openScope(detectHost(), record);
    }
    default:
      return onDirectories(recordedPaths(detectHost(), record.paths));
  }
}

/**
 * The record of a container that another runtime made, which left only the path. That runtime need
 * not have made a directory in every hierarchy.
 */
export function recordOf(path: string, scope: string): CgroupRecord {
  if (path === "") return { kind: "disabled", path, paths: {} };
  const host = detectHost();
  const all = Object.entries(pathsBelowMounts(host, path));
  const paths = Object.fromEntries(all.filter(([, directory]) => isDirectory(directory)));
  if (scope !== "") return { kind: "systemd", path, scope, paths };
  return { kind: host.mode === "v2" ? "v2" : "v1", path, paths };
}

function onDirectories(
  paths: Readonly<Record<string, string>>,
  tolerance?: Tolerance,
): CgroupManager {
  const host = detectHost();
  if (host.mode !== "v2") {
    return new CgroupV1(host, paths, tolerance);
  }
  const directory = paths[""];
  const mountPoint = hierarchyOf(host, "")?.mountPoint;
  if (directory === undefined || mountPoint === undefined) {
    throw new RuntsError("open the container's cgroup", {
      cause: "it was made on cgroup v1, and this host has v2 alone",
    });
  }
  return new CgroupV2(mountPoint, directory, tolerance);
}

/**
 * The cgroup of a monitor: beside that of its container, so that what freezes, kills or limits the
 * container leaves the monitor alone, and so does what ends whoever started it.
 */

import { quote, reason } from "../base/errors.ts";
import { undoDirectories } from "../cgroup/clear.ts";
import { isDirectory } from "../base/files.ts";
import { writeFile } from "../cgroup/files.ts";
import { detectHost, hierarchyOf } from "../cgroup/hierarchies.ts";
import type { CgroupManager, CgroupRecord, CgroupRequest } from "../cgroup/manager.ts";
import { cgroupBeside, makeCgroup, openCgroup } from "../cgroup/mod.ts";
import { inUnitName } from "../cgroup/systemd/units.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** It is there where systemd is (sd_booted(3)). */
const SYSTEMD = "/run/systemd/system";
/** At the end of its name, after that of the container's cgroup. */
const SUFFIX = "-monitor";

/** The path of a monitor's cgroup by that of the container's. */
export type CgroupName = (path: string) => string;

/**
 * A scope of its own where systemd is, else a cgroup in the hierarchies of the container's; with a name, that
 * one in any case. Nothing is made yet. Undefined where there is to be none.
 */
export async function monitorCgroup(
  runtime: Runtime,
  id: string,
  container: CgroupRecord,
  name?: CgroupName,
): Promise<CgroupManager | undefined> {
  const { kind } = container;
  if (kind === "disabled") return undefined;
  if (kind === "systemd") return await scopeOf(runtime, id, sliceOf(container));
  const beside = () => cgroupBeside(runtime, container, name ?? ((path) => path + SUFFIX));
  if (name !== undefined || !isDirectory(SYSTEMD)) return beside();
  try {
    // In cgroups of v1 that of the container may be below that of the unit that starts it, and end with it.
    return await scopeOf(runtime, id, "");
  } catch (error) {
    runtime.debug?.(`the monitor has no scope: ${reason(error)}`);
    return beside();
  }
}

function scopeOf(runtime: Runtime, id: string, slice: string): Promise<CgroupManager> {
  return makeCgroup(runtime, {
    id,
    description: `runts monitor of container ${id}`,
    manager: "systemd",
    rootless: runtime.rootless,
    cgroupsPath: `${slice}:runts-monitor:${inUnitName(id)}`,
  });
}

/** The slice that the container's scope is in: `/a.slice/a-b.slice/x.scope`. */
function sliceOf({ path }: CgroupRecord): string {
  return path.split("/").findLast((name) => name.endsWith(".slice")) ?? "";
}

/**
 * What is asked of the cgroup of a container that is to outlive whoever makes it. In hierarchies of v1 that of
 * a unit would hold it, and systemd ends what is below a unit with that: there a path counts from the root.
 */
export function apart(runtime: Runtime, request: CgroupRequest): CgroupRequest {
  const { id, manager = "cgroupfs", rootless, cgroupsPath } = request;
  if (manager !== "cgroupfs" || rootless || !isDirectory(SYSTEMD)) return request;
  if (cgroupsPath?.startsWith("/") || detectHost(runtime).mode === "v2") return request;
  return { ...request, cgroupsPath: `/${cgroupsPath ?? id}` };
}

/** What is recorded of the cgroup that {@linkcode monitorCgroup} makes. */
export function usualCgroup(
  id: string,
  { kind, path, paths }: CgroupRecord,
): CgroupRecord | undefined {
  if (kind === "disabled") return undefined;
  const scope = `runts-monitor-${inUnitName(id)}.scope`;
  const beside = (path: string) =>
    kind === "systemd" ? path.replace(/[^/]*$/, scope) : `${path}${SUFFIX}`;
  const entries = Object.entries(paths).map(([name, path]) => [name, beside(path)]);
  const common = { kind, path: beside(path), paths: Object.fromEntries(entries) };
  return kind === "systemd" ? { ...common, scope } : common;
}

/** Makes it and moves the monitor there. Who is not root may do without. */
export async function enterCgroup(
  runtime: Runtime,
  cgroup: CgroupManager,
  pid: number,
): Promise<void> {
  try {
    const { moved } = await cgroup.prepare({});
    if (moved) return await cgroup.attach(pid);
    for (const directory of Object.values(cgroup.record.paths)) {
      writeFile(`${directory}/cgroup.procs`, String(pid));
    }
  } catch (error) {
    if (!runtime.rootless) throw error;
    await cgroup.remove();
    runtime.warn(`the monitor (pid ${pid}) has no cgroup of its own: ${reason(error)}`);
  }
}

/** Removes the monitor's cgroup while processes of it live, which go to the root of each hierarchy. */
export function abandonMonitorCgroup(
  runtime: Runtime,
  record: CgroupRecord | undefined,
  pids: readonly number[],
): void {
  try {
    for (const controller of Object.keys(record?.paths ?? {})) {
      const root = hierarchyOf(detectHost(runtime), controller)?.mountPoint;
      if (root === undefined) continue;
      for (const pid of pids) writeFile(`${root}/cgroup.procs`, String(pid));
    }
    undoDirectories(Object.values(record?.paths ?? {}));
  } catch (error) {
    runtime.warn(`leave the monitor's cgroup: ${reason(error)}`);
  }
}

/** Ends what is left there, and removes it. */
export async function removeMonitorCgroup(
  runtime: Runtime,
  record: CgroupRecord | undefined,
): Promise<void> {
  if (record === undefined) return;
  try {
    const cgroup = await openCgroup(runtime, record);
    await cgroup.killAll();
    await cgroup.remove();
  } catch (error) {
    runtime.warn(`remove the monitor's cgroup ${quote(record.path)}: ${reason(error)}`);
  }
}

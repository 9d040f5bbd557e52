/** The cgroup that the options of a runtime name for its shims, and that of their brain. */

import { reason, RuntsError } from "../base/errors.ts";
import { detectHost, hierarchyOf } from "../cgroup/hierarchies.ts";
import { makeDirectory, writeFile } from "../cgroup/files.ts";
import { inheritCpuset } from "../cgroup/v1/manager.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** Moves the process to the cgroup of that path in every hierarchy; it is made where it is missing. */
export function joinCgroup(runtime: Runtime, path: string, pid: number): void {
  const host = detectHost(runtime);
  const mounts = new Set(
    ["cpu", "cpuset", "memory", "pids", "blkio", "devices", "freezer", "name=systemd", ""]
      .map((controller) => hierarchyOf(host, controller)?.mountPoint),
  );
  for (const mount of mounts) {
    if (mount === undefined) continue;
    const directory = `${mount}/${path.replace(/^\/+/, "")}`;
    try {
      makeDirectory(directory, mount, []);
      if (mount === hierarchyOf(host, "cpuset")?.mountPoint) inheritCpuset(directory, mount);
      writeFile(`${directory}/cgroup.procs`, String(pid));
    } catch (cause) {
      throw new RuntsError(`move the monitor to cgroup ${JSON.stringify(path)}`, { cause });
    }
  }
}

/** Moves this process, a brain, to cgroups that are no pod's; gives what kept it from that. */
export function leaveForCgroups(directories: readonly string[]): string | undefined {
  try {
    for (const directory of directories) writeFile(`${directory}/cgroup.procs`, "0");
    return undefined;
  } catch (error) {
    return `leave the pod's cgroup: ${reason(error)}`;
  }
}

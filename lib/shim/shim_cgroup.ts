/** The cgroup that the options of a runtime name for its shims. */

import { RuntsError } from "../base/errors.ts";
import { detectHost, hierarchyOf } from "../cgroup/hierarchies.ts";
import { writeFile } from "../cgroup/files.ts";
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
      Deno.mkdirSync(directory, { recursive: true });
      writeFile(`${directory}/cgroup.procs`, String(pid));
    } catch (cause) {
      throw new RuntsError(`move the monitor to cgroup ${JSON.stringify(path)}`, { cause });
    }
  }
}

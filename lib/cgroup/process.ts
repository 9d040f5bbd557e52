/** Where a process is. */

import { readFile } from "./files.ts";
import { detectHost, hierarchyOf } from "./hierarchies.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** The cgroups of a process by controller, absolute; none when there is no such process. */
export function cgroupsOf(runtime: Runtime, pid: number): Record<string, string> {
  const host = detectHost(runtime);
  const paths: Record<string, string> = {};
  for (const line of (readFile(`/proc/${pid}/cgroup`) ?? "").split("\n")) {
    const [, controllers, ...path] = line.split(":");
    for (const name of controllers?.split(",") ?? []) {
      const mountPoint = hierarchyOf(host, name)?.mountPoint;
      if (mountPoint !== undefined) paths[name] = mountPoint + path.join(":").replace(/^\/$/, "");
    }
  }
  return paths;
}

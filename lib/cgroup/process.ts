/** Where a process is. */

import { readFile } from "./files.ts";
import { detectHost, hierarchyOf } from "./hierarchies.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** The place of a process in one hierarchy. */
interface Membership {
  /** As the kernel names them, with commas between them: of version 2 none, and `name=systemd`. */
  readonly controllers: string;
  /** Below the root of the hierarchy. */
  readonly path: string;
}

/** Its places in all hierarchies (cgroups(7)); none when there is no such process. */
export function membershipsOf(pid: number): Membership[] {
  return (readFile(`/proc/${pid}/cgroup`) ?? "").split("\n").flatMap((line) => {
    const [, controllers, ...path] = line.split(":");
    return controllers === undefined ? [] : [{ controllers, path: path.join(":") }];
  });
}

/** The cgroups of a process by controller, absolute; none when there is no such process. */
export function cgroupsOf(runtime: Runtime, pid: number): Record<string, string> {
  const host = detectHost(runtime);
  const paths: Record<string, string> = {};
  for (const { controllers, path } of membershipsOf(pid)) {
    for (const name of controllers.split(",")) {
      const mountPoint = hierarchyOf(host, name)?.mountPoint;
      if (mountPoint !== undefined) paths[name] = mountPoint + path.replace(/^\/$/, "");
    }
  }
  return paths;
}

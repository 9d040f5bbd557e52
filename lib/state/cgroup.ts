/** The cgroup manager of a container that exists. */

import { openCgroup, recordOf } from "../cgroup/mod.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import type { Status } from "./status.ts";

/** crun leaves the path alone; runts records the manager and every directory. */
export function cgroupOf(status: Status): Promise<CgroupManager> {
  return openCgroup(status.cgroup ?? recordOf(status.cgroupPath, status.scope));
}

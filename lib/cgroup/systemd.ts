/** Containers in transient scopes of systemd. */

import { RuntsError } from "../errors.ts";
import type { CgroupHost } from "./host.ts";
import type { CgroupManager, CgroupRecord, CgroupRequest } from "./types.ts";

/** The manager of a container whose scope systemd is to make. */
export function makeScope(_host: CgroupHost, _request: CgroupRequest): CgroupManager {
  throw new RuntsError("use systemd as cgroup manager", { cause: "not built in" });
}

/** The manager of a container that has a scope. */
export function openScope(_record: CgroupRecord): CgroupManager {
  throw new RuntsError("use systemd as cgroup manager", { cause: "not built in" });
}

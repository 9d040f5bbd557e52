/** The cgroup manager of a container that exists. */

import { freezerOf } from "../cgroup/freezer.ts";
import { openCgroup, recordOf } from "../cgroup/mod.ts";
import type { CgroupManager, CgroupRecord } from "../cgroup/manager.ts";
import { quote } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ContainerState } from "../spec/types/state.ts";
import type { Status } from "./status.ts";

export function cgroupOf(runtime: Runtime, status: Status): Promise<CgroupManager> {
  return openCgroup(runtime, recordedCgroup(runtime, status));
}

/** crun leaves the path alone; runts records the manager and every directory. */
export function recordedCgroup(
  runtime: Runtime,
  { cgroup, cgroupPath, scope }: Status,
): CgroupRecord {
  return cgroup ?? recordOf(runtime, cgroupPath, scope);
}

/** For errors about a paused container that its own cgroup does not pause: which one does. */
export function whoPauses(
  runtime: Runtime,
  state: ContainerState,
  status: Status,
): { cause?: string; hint?: string } {
  if (state !== "paused") return {};
  const { paths } = recordedCgroup(runtime, status);
  for (const directory of [paths["freezer"], paths[""]]) {
    const freezer = directory && freezerOf(directory);
    if (!freezer || freezer === directory) continue;
    return { cause: `cgroup ${quote(freezer)} above its own is frozen`, hint: "thaw that one" };
  }
  return {};
}

/** A container that has been made in the cgroup of one that has ended, and is not deleted yet. */

import type { CgroupManager } from "../cgroup/manager.ts";
import { listIds, StateDirectory } from "./directory.ts";
import { inspect, type Inspection } from "./inspect.ts";

/**
 * The id of a container of the same state root that lives in the cgroup of one that is stopped: an
 * empty cgroup may be used again. Undefined where there is none.
 */
export function heirOf(
  { id, runtime }: StateDirectory,
  { state }: Inspection,
  cgroup: CgroupManager,
): string | undefined {
  const { kind, path } = cgroup.record;
  if (state !== "stopped" || kind === "disabled" || cgroup.pids().length === 0) return undefined;
  return listIds(runtime.root).find((other) =>
    other !== id && livesIn(new StateDirectory(runtime, other), path)
  );
}

function livesIn(directory: StateDirectory, path: string): boolean {
  try {
    const { state, status } = inspect(directory);
    return state !== "stopped" && (status.cgroup?.path ?? status.cgroupPath) === path;
  } catch {
    return false; // it was deleted meanwhile, or its status is damaged
  }
}

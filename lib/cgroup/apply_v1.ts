/** Bringing resources into the directories of a v1 container. */

import type { Resources } from "../spec/types.ts";

/** Writes all limits into a new cgroup. */
export function applyV1(
  _paths: Readonly<Record<string, string>>,
  _resources: Resources,
  _rootless: boolean,
): void {}

/** Changes limits of a cgroup in use. */
export function updateV1(_paths: Readonly<Record<string, string>>, _resources: Resources): void {}

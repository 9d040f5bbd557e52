/** The plan of a container: config.json → operations. */

import type { ContainerInput, ContainerPlan } from "./types.ts";

/**
 * What init does to become the container's first process.
 * Throws RuntsError for what the configuration asks and no plan can do.
 */
export function planContainer(_input: ContainerInput): ContainerPlan {
  return { ops: [], slots: [], warnings: [], needsMaps: false, clones: 1, rootfs: "" };
}

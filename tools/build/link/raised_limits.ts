/** Takes the place of lib/base/raised_limits.ts in the linked executable, where the front knows them. */

import type { Linked } from "./load.ts";

declare const $runts: Linked;

/** `RESOURCE:SOFT:HARD ` each. */
export function raisedLimits(): string {
  return $runts.limits;
}

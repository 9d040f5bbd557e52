/** Takes the place of lib/state/begun.ts in the linked executable, where the front may have begun. */

import type { Begun } from "../../../lib/state/begun.ts";
import type { Linked } from "./load.ts";

declare const $runts: Linked;

/** Undefined where nothing was begun. */
export function begunStart(): Begun | undefined {
  if ($runts.begun === "") return undefined;
  const [lock, result, pidfd] = $runts.begun.split(" ").map(Number) as [number, number, number];
  return { lock, result, pidfd };
}

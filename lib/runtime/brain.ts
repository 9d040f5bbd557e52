/** Where the warm brain of a user listens. */

import type { Caller } from "../base/caller.ts";
import { fromWorkingDirectory } from "../base/absolute.ts";
import { RuntsError } from "../base/errors.ts";
import type { HostFacts } from "./host.ts";
import { defaultRoot } from "./root.ts";

/** Names another directory; empty: there is to be no brain. */
const VARIABLE = "RUNTS_BRAIN";

/** The directory of its socket, as the front finds it (c/front/warm.c). */
export function brainDirectory(caller: Caller, host: HostFacts): string {
  const entry = caller.environment().find((text) => text.startsWith(`${VARIABLE}=`));
  const named = entry?.slice(VARIABLE.length + 1);
  if (named === "") {
    throw new RuntsError(`${VARIABLE} is empty: there is to be no warm brain`);
  }
  return named === undefined
    ? `${defaultRoot(caller, host)}/.brain`
    : fromWorkingDirectory(caller, named);
}

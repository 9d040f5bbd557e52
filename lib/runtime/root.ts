/** Where state directories are kept unless `--root` says. */

import type { Caller } from "../base/caller.ts";
import { HostFacts, isInUserNamespace } from "./host.ts";
import { ProcessCaller } from "./process_caller.ts";

/**
 * /run/runts for real root, whatever its session; for everybody else, root of a user namespace
 * too, $XDG_RUNTIME_DIR/runts (set but empty counts as unset), by default below /run/user/UID.
 */
export function defaultRoot(
  caller: Caller = new ProcessCaller(),
  host: HostFacts = new HostFacts(caller.proc),
): string {
  if (caller.uid === 0 && !host.get(isInUserNamespace)) return "/run/runts";
  return `${caller.variable("XDG_RUNTIME_DIR") ?? `/run/user/${caller.uid}`}/runts`;
}

/** What helps somebody who cannot write there. */
export function rootHint(caller: Caller, root: string): string | undefined {
  if (!root.startsWith("/run/user/") || caller.variable("XDG_RUNTIME_DIR")) return undefined;
  return "XDG_RUNTIME_DIR is not set: set it to a directory of your own, or give --root";
}

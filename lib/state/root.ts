/** Where state directories are kept unless `--root` says. */

import { callerVariable } from "../base/environment.ts";

/**
 * /run/runts for real root, whatever its session; for everybody else, root of a user namespace
 * too, $XDG_RUNTIME_DIR/runts (set but empty counts as unset), by default below /run/user/UID.
 */
export function defaultRoot(): string {
  const uid = Deno.uid() ?? 0;
  if (uid === 0 && !isInUserNamespace()) return "/run/runts";
  return `${callerVariable("XDG_RUNTIME_DIR") ?? `/run/user/${uid}`}/runts`;
}

/** What helps somebody who cannot write there. */
export function rootHint(root: string): string | undefined {
  if (!root.startsWith("/run/user/") || callerVariable("XDG_RUNTIME_DIR")) return undefined;
  return "XDG_RUNTIME_DIR is not set: set it to a directory of your own, or give --root";
}

/** The first user namespace maps every id to itself (user_namespaces(7)). */
export function isInUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(Deno.readTextFileSync("/proc/self/uid_map"));
}

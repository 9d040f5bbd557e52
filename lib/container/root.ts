/** Where state directories are kept unless `--root` says. */

import { callerVariable } from "../environment.ts";

/** /run/runts; for an ordinary user $XDG_RUNTIME_DIR/runts (set but empty counts as unset). */
export function defaultRoot(): string {
  const own = callerVariable("XDG_RUNTIME_DIR");
  if (Deno.uid() === 0 || own === undefined) return "/run/runts";
  return `${own}/runts`;
}

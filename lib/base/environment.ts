/**
 * The environment that runts was started with. The linked executable starts Deno with variables
 * of its own in front; the kernel's copy (proc_pid_environ(5)) does not have them.
 */

import { readBytesText } from "./bytes.ts";

let cached: readonly string[] | undefined;

/** `NAME=value` entries, as the caller passed them. */
export function callerEnvironment(): readonly string[] {
  cached ??= read();
  return cached;
}

/** The value of one variable of the caller's; undefined when unset or empty. */
export function callerVariable(name: string): string | undefined {
  const entry = callerEnvironment().find((text) => text.startsWith(`${name}=`));
  return entry?.slice(name.length + 1) || undefined;
}

function read(): string[] {
  return readBytesText("/proc/self/environ").split("\0").filter((entry) => entry !== "");
}

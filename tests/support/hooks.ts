/** Hooks for tests. */

import type { Config } from "./bundle.ts";

/** config.md, "POSIX-platform Hooks", in the order of a container's life. */
export const KINDS = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;
export type Kind = (typeof KINDS)[number];

/** A hook that runs a shell script. */
export function hook(script: string, more: Config = {}): Config {
  return { path: "/bin/sh", args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"], ...more };
}

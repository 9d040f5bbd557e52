/** What `linux.resources.pids.limit` means in a version of the specification. */

import type { Resources } from "./types/config.ts";

/**
 * Whether 0 and less are no limit. Since 1.3 of the specification 0 is a limit and -1 is none;
 * before it said neither, and runtimes took both for no limit.
 */
export function isPidsZeroUnlimited(ociVersion: unknown): boolean {
  return typeof ociVersion !== "string" || /^1\.[0-2]\./.test(ociVersion);
}

/** Resources in the words of 1.3, where no limit is -1. */
export function withPidsLimit(resources: Resources, ociVersion: string | undefined): Resources {
  const { limit = 1 } = resources.pids ?? {};
  if (limit > 0 || !isPidsZeroUnlimited(ociVersion)) return resources;
  return { ...resources, pids: { limit: -1 } };
}

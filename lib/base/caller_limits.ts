/** Resource limits of the caller that runts itself does not keep; what it starts gets them back. */

import { raisedLimits } from "./raised_limits.ts";

/** A limit; RLIM_INFINITY for none. */
export interface CallerLimit {
  /** Its number (getrlimit(2)). */
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** Those that differ from what runts has. */
export function callerLimits(): CallerLimit[] {
  return raisedLimits().split(" ").filter((text) => text !== "").map((text) => {
    const [resource, soft, hard] = text.split(":") as [string, string, string];
    return { resource: Number(resource), soft: BigInt(soft), hard: BigInt(hard) };
  });
}

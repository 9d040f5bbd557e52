/** Resource limits of the caller that runts itself does not keep; what it starts gets them back. */

/** A limit; RLIM_INFINITY for none. */
export interface CallerLimit {
  /** Its number (getrlimit(2)). */
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** `RESOURCE:SOFT:HARD ` each, as limits. */
export function parseLimits(text: string): CallerLimit[] {
  return text.split(" ").filter((word) => word !== "").map((word) => {
    const [resource, soft, hard] = word.split(":") as [string, string, string];
    return { resource: Number(resource), soft: BigInt(soft), hard: BigInt(hard) };
  });
}

/** Whoever runts works for: what its process is, and what it has been given. */

import type { CallerLimit } from "./caller_limits.ts";

/**
 * A caller. The command line and scripts are their own; whatever is read of it is read when it is asked
 * for, unless it cannot change.
 */
export interface Caller {
  /** Its directory of /proc: `/proc/self` for this process, `/proc/PID` for another. */
  readonly proc: string;
  readonly pid: number;
  /** Real ids (credentials(7)). */
  readonly uid: number;
  readonly gid: number;
  /** File mode bits that it takes away from what it makes (umask(2)). */
  readonly umask: number;
  /** The mode of a file that is made for it, where the kernel itself does not see to its umask. */
  masked(mode: number): number;
  /** Whether it has ended, so that nobody learns of what is done for it. Absent where it cannot. */
  hasEnded?(): boolean;
  /** Absolute. Throws `Deno.errors.InvalidData` where the path is no UTF-8. */
  workingDirectory(): string;
  /** `NAME=value` entries, as it was started with them. */
  environment(): readonly string[];
  /** The value of one variable; undefined when unset or empty. */
  variable(name: string): string | undefined;
  /** Resource limits that differ from those of this process. */
  limits(): readonly CallerLimit[];
}

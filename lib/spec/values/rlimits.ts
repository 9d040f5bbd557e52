/** Resource limits: names and numbers (getrlimit(2), asm-generic/resource.h). */

/** Names in the order of their numbers, from 0. */
export const RLIMITS = [
  "RLIMIT_CPU",
  "RLIMIT_FSIZE",
  "RLIMIT_DATA",
  "RLIMIT_STACK",
  "RLIMIT_CORE",
  "RLIMIT_RSS",
  "RLIMIT_NPROC",
  "RLIMIT_NOFILE",
  "RLIMIT_MEMLOCK",
  "RLIMIT_AS",
  "RLIMIT_LOCKS",
  "RLIMIT_SIGPENDING",
  "RLIMIT_MSGQUEUE",
  "RLIMIT_NICE",
  "RLIMIT_RTPRIO",
  "RLIMIT_RTTIME",
] as const;

/** RLIM_INFINITY. */
export const RLIM_INFINITY = 0xffffffffffffffffn;

/** `RLIMIT_NOFILE` → 7, or undefined. */
export function rlimitNumber(type: string): number | undefined {
  const number = (RLIMITS as readonly string[]).indexOf(type);
  return number < 0 ? undefined : number;
}

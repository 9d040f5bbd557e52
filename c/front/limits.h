/* The caller's limits: Deno needs more of some than a caller may have, and raises one by itself. */
#ifndef RUNTS_FRONT_LIMITS_H
#define RUNTS_FRONT_LIMITS_H

#define LIMITS_ROOM 512

/*
 * Raises what Deno would not start with. Writes the former limits that no longer hold to `to`, as
 * "RESOURCE:SOFT:HARD " each. Gives 0, or the negative error number of a limit that cannot be raised;
 * what was tried is in `to` then.
 */
long raise_limits(char *to);

/* Whether another process or thread can be made; not tried where the limit is a usual one. */
long try_process(void);

#endif

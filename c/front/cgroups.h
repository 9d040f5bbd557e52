/* The cgroups of a container, as its record names them. */
#ifndef RUNTS_FRONT_CGROUPS_H
#define RUNTS_FRONT_CGROUPS_H

#include "record.h"

/*
 * Whether all of them are there and are those that the container was given, with none below them, and
 * whether none of them holds the caller: the front touches no other.
 */
int are_own(const struct prepared *record);

/* Whether none of them is there any more, of those that systemd removes. */
int are_gone(const struct prepared *record);

/* Whether nobody is in them. */
int are_empty(const struct prepared *record);

/* Sends SIGKILL to every member until there is none that has not had it; 0 where that does not go. */
int kill_members(const struct prepared *record);

/* Removes them, or waits until systemd has; 0 where one of them stays. */
int remove_cgroups(const struct prepared *record);

#endif

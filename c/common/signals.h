/* Signal masks and dispositions, by the system calls themselves: a C library hides some signals. */
#ifndef RUNTS_SIGNALS_H
#define RUNTS_SIGNALS_H

#include <stdint.h>

/* A set of signals: bit n - 1 stands for signal n. */
#define SIGNAL_BIT(number) (UINT64_C(1) << (number - 1))
#define SIGNALS_ALL UINT64_MAX

/*
 * Gives every signal its default disposition and empties the mask. Dispositions that are ignored
 * survive execve(2), and the runtime's own caller may ignore any of them. Safe after vfork(2).
 */
void signals_reset(void);

/* Replaces the calling thread's mask, or adds to it; gives the former one. */
uint64_t signals_mask(uint64_t mask);
uint64_t signals_block(uint64_t set);

void signals_unblock(uint64_t set);

/* Takes a pending signal of the set away, if there is one; it must be blocked. */
void signals_discard(uint64_t set);

#endif

/* Starting Deno, which does all that the front does not. */
#ifndef RUNTS_FRONT_COLD_H
#define RUNTS_FRONT_COLD_H

#include <stdint.h>

/* How to go on: two registers. */
struct start {
  char **sp;
  uintptr_t entry;
};

/*
 * A start that cannot be taken back: the lock of the container, its result.fifo and a pidfd of init, all
 * open. Without one, each is -1.
 */
struct begun {
  long lock, result, pidfd;
};

/*
 * Prepares the stack that the kernel has made, of which `sp` is the pointer, for Deno. Below it there
 * must be room for a hundred slots.
 */
struct start start_deno(char **sp, const struct begun *begun);

#endif

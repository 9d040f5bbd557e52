/* What signals do. */
#ifndef RUNTS_FRONT_ACTION_H
#define RUNTS_FRONT_ACTION_H

#include <signal.h>
#include <stdint.h>

#include "syscall.h"

/* struct sigaction of the kernel */
struct action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

/* A handler must come back by its means (return.c). */
void change_action(int number, const struct action *to, struct action *from);

/* Deno ignores it, too. */
static inline void ignore_broken_pipe(void) {
  struct action action = {.handler = SIG_IGN};
  sys4(SYS_RT_SIGACTION, SIGPIPE, (long)&action, 0, sizeof action.mask);
}

#endif

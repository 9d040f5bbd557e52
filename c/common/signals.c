#define _GNU_SOURCE 1
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "raw.h"

#define SIGNAL_COUNT 64

void signals_reset(void) {
  /* All zero is SIG_DFL without flags, whatever an architecture's layout. */
  static const unsigned long action[8];
  for (int number = 1; number <= SIGNAL_COUNT; number++)
    sys4(SYS_rt_sigaction, number, (long)action, 0, sizeof(uint64_t));
  signals_mask(0);
}

static uint64_t change_mask(int how, uint64_t set) {
  uint64_t former = 0;
  sys4(SYS_rt_sigprocmask, how, (long)&set, (long)&former, sizeof set);
  return former;
}

uint64_t signals_mask(uint64_t mask) {
  return change_mask(SIG_SETMASK, mask);
}

uint64_t signals_block(uint64_t set) {
  return change_mask(SIG_BLOCK, set);
}

void signals_unblock(uint64_t set) {
  change_mask(SIG_UNBLOCK, set);
}

void signals_discard(uint64_t set) {
  static const long long zero[2]; /* struct timespec, in any of its sizes */
  sys4(SYS_rt_sigtimedwait, (long)&set, 0, (long)zero, sizeof set);
}

/*
 * Which signals a process hands on to another one. What is its own stays its own: SIGCHLD and SIGURG, SIGWINCH,
 * which tells of the caller's terminal, the two that the C library keeps for itself, and faults.
 */
#ifndef RUNTS_FORWARDED_H
#define RUNTS_FORWARDED_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "signals.h"

#define SIGNAL_COUNT 64
#define LIBRARY_FIRST 32 /* pthread_cancel(3), nptl(7) */
#define LIBRARY_LAST 33

#define FAULTS                                                                          \
  (SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
   SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGSYS))
/* The terminal's, to who uses it from the background: the call is made again on return. */
#define BACKGROUND (SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
/* What asks a process to end. */
#define REQUESTS \
  (SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGTERM))
#define NOT_FORWARDED                                                                     \
  (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | \
   SIGNAL_BIT(LIBRARY_FIRST) | SIGNAL_BIT(LIBRARY_LAST))

/* A fault, the terminal of another foreground, abort(3), or a pipe without a reader. */
static inline bool is_own_signal(int number, const siginfo_t *info, pid_t own) {
  if (info->si_code > 0)
    return ((FAULTS | BACKGROUND) & SIGNAL_BIT(number)) != 0;
  return (info->si_code == SI_USER || info->si_code == SI_TKILL) && info->si_pid == own;
}

#endif

/* Stops for tests, as in c/common/stop.h: only a front with RUNTS_STOPS has any. */
#ifndef RUNTS_FRONT_STOP_H
#define RUNTS_FRONT_STOP_H

#ifdef RUNTS_STOPS
#include <signal.h>
#include <sys/prctl.h>

#include "syscall.h"

static inline void stop_here(const char *name, const char *former) {
  long pid = sys1(SYS_GETPID, 0);
  sys2(SYS_PRCTL, PR_SET_NAME, (long)name);
  sys3(SYS_TGKILL, pid, pid, SIGSTOP);
  sys2(SYS_PRCTL, PR_SET_NAME, (long)former);
}
#define STOP(name) stop_here(name, "runts")
#else
#define STOP(name) ((void)0)
#endif

#endif

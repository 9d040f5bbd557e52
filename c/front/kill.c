/* `kill`: signals the recorded process, and no other, through its pidfd. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>

#include "cgroups.h"
#include "syscall.h"
#include "verbs.h"

static int signal_init(const struct prepared *record, int signal) {
  long pidfd = open_init(record), result;
  if (pidfd < 0)
    return COLD;
  result = sys4(SYS_PIDFD_SEND_SIGNAL, pidfd, signal, 0, 0);
  sys1(SYS_CLOSE, pidfd);
  return result == 0 ? DONE : COLD;
}

/* `--all` with SIGKILL: it does no harm when Deno sends it once more, and is no error after the end. */
static int kill_everyone(const struct target *target, enum state state) {
  const struct prepared *record = target->container.record;
  if (record->flags & PREPARED_NO_MEMBERS)
    return COLD;
  if (state == STATE_STOPPED && are_gone(record))
    return DONE;
  if (!are_own(record))
    return COLD;
  if (state == STATE_STOPPED)
    return are_empty(record) ? DONE : COLD;
  if (signal_init(record, SIGKILL) != DONE || !kill_members(record))
    return COLD;
  return DONE;
}

int kill_container(const struct target *target) {
  const struct prepared *record = target->container.record;
  enum state state = state_of(&target->container);
  int signal = target->call->signal == NO_SIGNAL ? record->stop_signal : target->call->signal;
  if (state == STATE_UNKNOWN || (target->call->signal == NO_SIGNAL && signal == 0))
    return COLD;
  if (target->call->all)
    return signal == SIGKILL ? kill_everyone(target, state) : COLD;
  /* Without a pid namespace of its own, the death of init takes nobody with it. */
  if (signal == SIGKILL && !(record->flags & PREPARED_OWN_PIDS))
    return COLD;
  return state == STATE_STOPPED ? COLD : signal_init(record, signal);
}

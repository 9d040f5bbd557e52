/* pidfds, signals, waiting for children. System calls by number: the C library may be older. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/exit_info.h"
#include "../common/kernel.h"
#include "../common/signals.h"
#include "../common/stop.h"
#include "helper.h"

#define WAIT_PIDFD 3 /* P_PIDFD, Linux 5.4 */

int32_t rts_pidfd_open(int32_t pid) {
  return RETRY(syscall(NR_PIDFD_OPEN, pid, 0));
}

int32_t rts_pidfd_signal(int32_t pidfd, int32_t signal) {
  STOP("@signal");
  return RETRY(syscall(NR_PIDFD_SEND_SIGNAL, pidfd, signal, NULL, 0));
}

int32_t rts_pidfd_getfd(int32_t pidfd, int32_t fd) {
  return RETRY(syscall(NR_PIDFD_GETFD, pidfd, fd, 0));
}

static void put_ending(const siginfo_t *info, int32_t *ending) {
  int exited = info->si_code == CLD_EXITED;
  ending[0] = info->si_pid;
  ending[1] = exited ? info->si_status : 0;
  ending[2] = exited ? 0 : info->si_status;
  ending[3] = info->si_code == CLD_DUMPED;
}

int32_t rts_reap(int32_t pidfd, int32_t *ending) {
  siginfo_t info = {0};
  idtype_t type = pidfd < 0 ? P_ALL : (idtype_t)WAIT_PIDFD;
  id_t id = pidfd < 0 ? 0 : (id_t)pidfd;
  int result = RETRY(waitid(type, id, &info, WEXITED | WNOHANG));
  if (result < 0)
    return result;
  if (info.si_pid == 0)
    return 0;
  put_ending(&info, ending);
  return 1;
}

int32_t rts_reap_until(int32_t pid, int32_t *ending) {
  siginfo_t info = {0};
  do {
    int result = RETRY(waitid(P_ALL, 0, &info, WEXITED));
    if (result < 0)
      return result;
  } while (info.si_pid != pid);
  put_ending(&info, ending);
  return 1;
}

int32_t rts_exit_status(int32_t pidfd, int32_t *ending) {
  int status = 0, result = exit_info(pidfd, &status);
  if (result <= 0)
    return result;
  ending[0] = 0;
  ending[1] = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  ending[2] = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  ending[3] = WIFSIGNALED(status) && WCOREDUMP(status);
  return 1;
}

int32_t rts_keep_children(void) {
  struct sigaction action;
  signals_unblock(SIGNAL_BIT(SIGCHLD));
  int result = RETRY(sigaction(SIGCHLD, NULL, &action));
  if (result < 0)
    return result;
  if (action.sa_handler == SIG_IGN)
    action.sa_handler = SIG_DFL;
  else if (!(action.sa_flags & SA_NOCLDWAIT))
    return 0;
  action.sa_flags &= ~SA_NOCLDWAIT;
  return RETRY(sigaction(SIGCHLD, &action, NULL));
}

int32_t rts_set_subreaper(int32_t on) {
  return RETRY(prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)(on != 0), 0, 0, 0));
}

#define _GNU_SOURCE
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../common/signals.h"
#include "syscall.h"

#define KILLED 128
#define UNKNOWN 255 /* the exit code for it */
#define EVERY_CHILD (-1)

static struct body_ending ending_of(int32_t pid, int status) {
  int number = status & 0x7f;
  return (struct body_ending){
      .pid = pid,
      .code = number ? KILLED + number : status >> 8 & 0xff,
      .signal = number,
      .flags = status & 0x80 ? BODY_CORE : 0,
  };
}

long do_ending(struct body *body, int32_t pid, struct answer *a) {
  int status = 0;
  long result = sys4(SYS_WAIT4, pid, (long)&status, WNOHANG, 0);
  if (result <= 0)
    return result == 0 ? -EAGAIN : result == -ECHILD ? -ESRCH : result;
  a->fields.ending = ending_of(pid, status);
  a->size = sizeof a->fields.ending;
  if (body->lock >= 0 && body->lock_pid == pid) {
    sys1(SYS_CLOSE, body->lock);
    body->lock = -1;
  }
  return 0;
}

/* What has not been reaped keeps its number. It may have left its group. */
long do_kill(int32_t pid) {
  struct {
    int32_t number, error, code, rest[29];
  } info;
  if (pid <= 1 || sys6(SYS_WAITID, P_PID, pid, (long)&info, WEXITED | WNOHANG | WNOWAIT, 0, 0) < 0)
    return -ESRCH;
  sys2(SYS_kill, -(long)pid, SIGKILL);
  return sys2(SYS_kill, pid, SIGKILL);
}

static long hear_of_ends(struct body *body) {
  const uint64_t set = SIGNAL_BIT(SIGCHLD);
  if (body->ends >= 0)
    return 0;
  signals_block(set);
  body->ends = sys4(SYS_signalfd4, -1, (long)&set, sizeof set, SFD_CLOEXEC | SFD_NONBLOCK);
  return body->ends < 0 ? body->ends : 0;
}

static void tell(struct body *body, long result, const struct body_ending *ending) {
  body->awaited = 0;
  body->code = result < 0 ? UNKNOWN : ending->code;
  answer_now(body, BODY_AWAIT, body->await_request, result, ending, sizeof *ending);
}

void reap_children(struct body *body) {
  struct signalfd_siginfo info;
  while (sys3(SYS_READ, body->ends, (long)&info, sizeof info) > 0)
    ;
  while (body->awaited) {
    int status = 0;
    long pid = sys4(SYS_WAIT4, EVERY_CHILD, (long)&status, WNOHANG, 0);
    if (pid == 0)
      return;
    const struct body_ending ending = ending_of((int32_t)pid, status);
    if (pid < 0 || pid == body->awaited)
      tell(body, pid < 0 ? -ESRCH : 0, &ending);
  }
}

long do_await(struct body *body, const struct request *r) {
  long result = body->awaited ? -EBUSY : hear_of_ends(body);
  if (result < 0)
    return result;
  body->awaited = number_at(r, 0);
  body->await_request = r->number;
  if (r->fd_count > 0) {
    body->afterwards = r->fds[0];
    r->fds[0] = -1;
  }
  reap_children(body);
  return ANSWER_LATER;
}

/* Endings of children: of init and execs, of their stages, of orphans that became ours. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "monitor.h"
#include "text.h"

#define NS_PER_S 1000000000
/* PF_FORKNOEXEC (linux/sched.h) */
#define FORKED_ONLY 0x40

/* A ring of the newest. */
static struct ending kept[BODY_ENDINGS_MAX];
static uint32_t taken;

static struct ending ending_of(const siginfo_t *info) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  bool exited = info->si_code == CLD_EXITED;
  return (struct ending){
      .time = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec,
      .body = {.pid = info->si_pid,
               .code = exited ? info->si_status : 128 + info->si_status,
               .signal = exited ? 0 : info->si_status,
               .flags = info->si_code == CLD_DUMPED ? BODY_CORE : 0},
  };
}

/* Whether it has not executed a program since it was forked: a bit of field 9 of proc_pid_stat(5). */
static bool is_unexecuted(pid_t pid) {
  char text[512];
  *put_text(put_number(put_text(text, "/proc/"), (uint32_t)pid), "/stat") = '\0';
  CLEANUP_FD int fd = (int)RETRY(open(text, O_RDONLY | O_CLOEXEC));
  long length = fd < 0 ? fd : RETRY(read(fd, text, sizeof text - 1));
  if (length <= 0)
    return false;
  text[length] = '\0';
  const char *at = strrchr(text, ')'); /* its name may have spaces */
  for (int field = 2; at && field < 9; field++)
    at = strchr(at + 1, ' ');
  return at && (strtoul(at, NULL, 10) & FORKED_ONLY);
}

void reap_all(void) {
  for (;;) {
    siginfo_t info = {0};
    if (RETRY(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT)) < 0 || info.si_pid == 0)
      return;
    struct ending ending = ending_of(&info);
    if (process_watched(info.si_pid) && is_unexecuted(info.si_pid))
      ending.body.flags |= BODY_UNEXECUTED;
    RETRY(waitid(P_PID, (id_t)info.si_pid, NULL, WEXITED | WNOHANG));
    kept[taken++ % BODY_ENDINGS_MAX] = ending;
    if (!command_ended(&ending.body))
      process_ended(&ending);
  }
}

int ending_find(pid_t pid, struct ending *ending) {
  siginfo_t info = {0};
  if (pid <= 0)
    return -ESRCH;
  if (RETRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)) == 0)
    return -EAGAIN;
  for (uint32_t i = 1; i <= BODY_ENDINGS_MAX && i <= taken; i++) {
    *ending = kept[(taken - i) % BODY_ENDINGS_MAX];
    if (ending->body.pid == pid)
      return 0;
  }
  return -ESRCH;
}

bool has_children(void) {
  siginfo_t info = {0};
  return RETRY(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT)) == 0;
}

static void signal_ready(struct source *source, uint32_t events) {
  (void)events;
  struct signalfd_siginfo info;
  if (RETRY(read(source->fd, &info, sizeof info)) != sizeof info)
    return;
  if (info.ssi_signo == SIGCHLD)
    reap_all();
  else
    the_monitor.leaving = true;
}

int reap_start(void) {
  static struct source signals;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? -errno : loop_add(&signals, fd, EPOLLIN, signal_ready);
}

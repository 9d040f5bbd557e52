/* Endings of children: of init and execs, of their stages, of orphans that became ours. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "monitor.h"

#define NS_PER_S 1000000000

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

void reap_all(void) {
  for (;;) {
    siginfo_t info = {0};
    if (RETRY(waitid(P_ALL, 0, &info, WEXITED | WNOHANG)) < 0 || info.si_pid == 0)
      return;
    struct ending ending = ending_of(&info);
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

/*
 * Starts a monitor (c/monitor), out of a sealed memfd. It is the child of a child that ends at once:
 * nobody here has to reap it. Both share our memory and hold us up (CLONE_VM | CLONE_VFORK), run on
 * stacks of their own, do nothing but system calls, and never return.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/close.h"
#include "../common/kernel.h"
#include "../common/memfd.h"
#include "../common/signals.h"
#include "monitor.h"

#define CHILD_STACK 8192

/* The monitor's descriptors, and its image behind them, which closes itself. */
enum { FD_LISTENING = 3, FD_CONNECTION, FD_IMAGE, FD_COUNT };

struct start {
  int fds[FD_COUNT]; /* what is to be there; -1: none */
  char *argv[6];
  pid_t pid;
  volatile int error;
  _Alignas(16) char stack[2][CHILD_STACK];
};

static _Noreturn void child_fail(struct start *s) {
  s->error = errno;
  end_process(127);
}

/* By way of copies, for one may stand in the place of another. */
static void child_place(struct start *s) {
  int copies[FD_COUNT];
  for (int i = 0; i < FD_COUNT; i++) {
    copies[i] = s->fds[i] < 0 ? -1 : fcntl(s->fds[i], F_DUPFD_CLOEXEC, FD_COUNT);
    if (s->fds[i] >= 0 && copies[i] < 0)
      child_fail(s);
  }
  for (int i = 0; i < FD_COUNT; i++) {
    if (copies[i] < 0)
      close(i);
    else if (dup3(copies[i], i, i == FD_IMAGE ? O_CLOEXEC : 0) < 0)
      child_fail(s);
  }
  close_from(FD_COUNT);
}

/* Signals stay blocked until the monitor has reset their dispositions. */
static int grandchild_main(void *data) {
  struct start *s = data;
  char *const env[] = {NULL};
  setsid();
  child_place(s);
  syscall(SYS_execveat, FD_IMAGE, "", s->argv, env, AT_EMPTY_PATH);
  child_fail(s);
}

static int child_main(void *data) {
  struct start *s = data;
  int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  s->pid = clone(grandchild_main, s->stack[1] + CHILD_STACK, flags, s);
  if (s->pid < 0)
    child_fail(s);
  end_process(0);
}

int32_t rts_monitor_image(void) {
  extern const uint8_t runts_monitor_start[], runts_monitor_end[];
  static int image = -1;
  if (image < 0)
    image = sealed_memfd("runts-monitor", MEMFD_EXECUTABLE, runts_monitor_start,
                         (size_t)(runts_monitor_end - runts_monitor_start));
  return image;
}

static int start(struct start *s) {
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the children */
  int pid = clone(child_main, s->stack[0] + CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, s);
  int error = errno;
  signals_mask(mask);
  if (pid < 0)
    return -error;
  RETRY(waitpid(pid, NULL, 0));
  return s->error ? -s->error : s->pid;
}

int32_t rts_core_scheduling(void) {
  return RETRY(prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_PROCESS_GROUP, 0));
}

int32_t rts_close_on_exec(int32_t fd) {
  return RETRY(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

int32_t rts_monitor_start(int32_t listening, int32_t connection, uint32_t idle_ms,
                          const char *title) {
  char numbers[3][16];
  struct start s = {.fds = {-1, -1, -1, listening, connection, rts_monitor_image()}};
  if (s.fds[FD_IMAGE] < 0)
    return s.fds[FD_IMAGE];
  CLEANUP_FD int null = rts_open("/dev/null", O_RDWR, 0);
  if (null < 0)
    return null;
  for (int i = 0; i <= STDERR_FILENO; i++)
    s.fds[i] = null;
  snprintf(numbers[0], sizeof *numbers, "%d", listening < 0 ? -1 : FD_LISTENING);
  snprintf(numbers[1], sizeof *numbers, "%d", connection < 0 ? -1 : FD_CONNECTION);
  snprintf(numbers[2], sizeof *numbers, "%u", idle_ms);
  s.argv[0] = "runts-monitor";
  for (int i = 0; i < 3; i++)
    s.argv[1 + i] = numbers[i];
  s.argv[4] = (char *)(uintptr_t)title;
  return start(&s);
}

/* `start`: releases init from its fifo and learns whether the program was executed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../common/exit_info.h"
#include "../include/sync.h"
#include "action.h"
#include "files.h"
#include "stop.h"
#include "syscall.h"
#include "verbs.h"
#include "wait.h"

/* How long to wait for the result before init itself is looked at, in ms. */
#define LOOK_AGAIN 1000

static long open_fifo(long directory, const char *name, int flags) {
  struct statx st;
  if (look_at(directory, name, &st) < 0 || type_of(&st) != S_IFIFO)
    return -1;
  flags |= O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
  return sys4(SYS_OPENAT, directory, (long)name, flags, 0);
}

/* Writes the byte that init waits for; without a reader that is an error, not the end of us. */
static int let_go(long directory) {
  long fifo = open_fifo(directory, "exec.fifo", O_WRONLY), n;
  if (fifo < 0)
    return 0;
  ignore_broken_pipe();
  n = sys3(SYS_WRITE, fifo, (long)"", 1);
  sys1(SYS_CLOSE, fifo);
  return n == 1;
}

/* Whether the result holds nothing but that; it stays there, for Deno might want it. */
static int said_executing(long result) {
  int32_t copy[2];
  struct sync_header said[2];
  if (sys2(SYS_pipe2, (long)copy, O_CLOEXEC) < 0)
    return 0;
  long n = sys4(SYS_tee, result, copy[1], sizeof said, 0);
  if (n > 0)
    n = sys3(SYS_READ, copy[0], (long)said, sizeof said);
  sys1(SYS_CLOSE, copy[0]);
  sys1(SYS_CLOSE, copy[1]);
  return n == sizeof *said && said->type == SYNC_EXECUTING;
}

/* An init whose parent has reaped it by now: see wasExecuted in lib/container/start.ts. */
static int was_executed(long result, long pidfd) {
  int status, is_known = exit_info((int)pidfd, &status) > 0;
  int is_trapped = is_known && (WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP);
  return said_executing(result) && !is_trapped;
}

/*
 * Init closes the result by executing the program or by its end; what it writes there before is read
 * by Deno, if it has not executed the program.
 */
static int is_executed(const struct prepared *record, long result, long pidfd) {
  struct pollfd polled[] = {{.fd = (int)result}, {.fd = (int)pidfd, .events = POLLIN}};
  struct process_stat stat;
  for (;;) {
    long ready = wait_for(polled, 2, LOOK_AGAIN);
    if (!read_stat(record->pid, &stat) || stat.start_time != record->start_time)
      return was_executed(result, pidfd);
    if (stat.is_executed || ready != 0)
      return stat.is_executed;
  }
}

/* What follows is not to be taken back: Deno goes on with it where the front does not know how. */
static int finish(const struct container *container, long result, long pidfd) {
  STOP("@front-go");
  if (!is_executed(container->record, result, pidfd))
    return COLD;
  STOP("@front-executed");
  /* The fifo goes last: whenever we are killed, the container is seen to run. */
  return sys3(SYS_UNLINKAT, container->directory, (long)"exec.fifo", 0) == 0 ? DONE : COLD;
}

int start_container(const struct target *target, long lock, struct begun *begun) {
  const struct container *container = &target->container;
  if (container->record->flags & PREPARED_NO_START || state_of(container) != STATE_CREATED)
    return COLD;
  long pidfd = open_init(container->record), result = -1;
  int is_begun = 0;
  if (pidfd >= 0)
    result = open_fifo(container->directory, "result.fifo", O_RDONLY);
  if (result >= 0)
    is_begun = let_go(container->directory);
  if (is_begun && finish(container, result, pidfd) == DONE)
    return DONE;
  if (is_begun) {
    *begun = (struct begun){lock, result, pidfd};
    return COLD;
  }
  if (pidfd >= 0)
    sys1(SYS_CLOSE, pidfd);
  if (result >= 0)
    sys1(SYS_CLOSE, result);
  return COLD;
}

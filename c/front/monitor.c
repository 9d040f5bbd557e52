/* A monitor is started by the caller's process, and is nobody's child by the time it works. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "../common/signals.h"
#include "body.h"
#include "syscall.h"
#include "text.h"

#define RLIMIT_NOFILE_NUMBER 7
#define NR_CLOSE_RANGE 436
#define NOT_EXECUTED 127
#define NUMBER_ROOM 24

/* The monitor's descriptors, and its image behind them, which closes itself (c/helper/monitor.c). */
enum { FD_LISTENING = 3, FD_CONNECTION, FD_IMAGE, FD_COUNT };
/* Those of the request. */
enum { GIVEN_IMAGE, GIVEN_CONNECTION, GIVEN_LISTENING };

static void must(long result) {
  while (result < 0)
    sys1(SYS_EXIT_GROUP, NOT_EXECUTED);
}

static void place(const struct request *r) {
  static const char null[] = "/dev/null";
  const int32_t wanted[FD_COUNT] = {
      [FD_LISTENING] = r->fd_count > GIVEN_LISTENING ? r->fds[GIVEN_LISTENING] : -1,
      [FD_CONNECTION] = r->fds[GIVEN_CONNECTION],
      [FD_IMAGE] = r->fds[GIVEN_IMAGE],
  };
  long copies[FD_COUNT], empty = sys4(SYS_OPENAT, AT_FDCWD, (long)null, O_RDWR | O_CLOEXEC, 0);
  must(empty);
  for (int i = 0; i < FD_COUNT; i++) {
    long fd = i < FD_LISTENING ? empty : wanted[i];
    copies[i] = fd < 0 ? -1 : sys3(SYS_FCNTL, fd, F_DUPFD_CLOEXEC, FD_COUNT);
    must(fd < 0 ? 0 : copies[i]);
  }
  for (int i = 0; i < FD_COUNT; i++) {
    if (copies[i] < 0)
      sys1(SYS_CLOSE, i);
    else
      must(sys3(SYS_DUP3, copies[i], i, i == FD_IMAGE ? O_CLOEXEC : 0));
  }
  sys3(NR_CLOSE_RANGE, FD_COUNT, ~0u, 0);
}

/* Signals stay blocked until the monitor has reset their dispositions. */
static void become_monitor(const struct body *body, const struct request *r, const char *title) {
  static const char image[] = "", none[] = "-1", connection[] = "4", listening[] = "3";
  char idle[NUMBER_ROOM];
  const char *env[] = {NULL};
  const char *argv[] = {"runts-monitor", r->fd_count > GIVEN_LISTENING ? listening : none,
                        connection,      idle,
                        title,           NULL};
  put_decimal(idle, (uint32_t)number_at(r, 0));
  sys1(SYS_SETSID, 0);
  place(r);
  sys4(SYS_PRLIMIT64, 0, RLIMIT_NOFILE_NUMBER, (long)body->files, 0);
  must(sys6(SYS_EXECVEAT, FD_IMAGE, (long)image, (long)argv, (long)env, AT_EMPTY_PATH, 0));
}

long do_monitor(const struct body *body, const struct request *r) {
  const char *title = text_at(r, 1);
  if (!title || r->fd_count <= GIVEN_CONNECTION || r->fd_count > GIVEN_LISTENING + 1)
    return -EINVAL;
  uint64_t mask = signals_mask(SIGNALS_ALL);
  long pid = sys6(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);
  if (pid == 0) {
    long monitor = sys6(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);
    if (monitor == 0)
      become_monitor(body, r, title);
    for (;;)
      sys1(SYS_EXIT_GROUP, monitor < 0 ? (int)-monitor : 0);
  }
  int status = 0;
  while (pid > 0 && sys4(SYS_WAIT4, pid, (long)&status, 0, 0) == -EINTR)
    ;
  signals_mask(mask);
  return pid < 0 ? pid : -(long)(status >> 8 & 0xff);
}

/*
 * The child shares our memory until it executes init (CLONE_VM), and does not hold us up meanwhile
 * unless it is to: on a busy machine it may have to wait for a processor. It runs on a stack of its own, does
 * nothing but system calls, and never returns. All of it is without the C library, as the front is.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "../include/sync.h"
#include "clone.h"
#include "launch.h"
#include "signals.h"

#define NR_CLOSE_RANGE 436
#define CLOSE_RANGE_WITH_CLOEXEC 4u /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
#define SOCKET_ROOM (1 << 20)

static void format_number(char *to, unsigned value) {
  char digits[NUMBER_MAX];
  int count = 0;
  do
    digits[count++] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  while (count > 0)
    *to++ = digits[--count];
  *to = '\0';
}

/* Says why init was not executed, as init says what fails later. */
static _Noreturn void child_fail(const struct launch *l, long error) {
  static const char detail[] = "start init";
  struct {
    struct sync_header header;
    char detail[sizeof detail - 1];
  } record = {.header = {.type = SYNC_FAILED, .op = -1, .error = (int32_t)-error}};
  for (size_t i = 0; i < sizeof record.detail; i++)
    record.detail[i] = detail[i];
  size_t length = sizeof record.header + sizeof record.detail;
  sys6(SYS_sendto, l->sync, (long)&record, (long)length, MSG_NOSIGNAL, 0, 0);
  for (;;)
    sys1(SYS_exit_group, 127);
}

static int child_copy(const struct launch *l, int command, int fd) {
  long copy = sys3(SYS_fcntl, fd, command, l->first);
  if (copy < 0)
    child_fail(l, copy);
  return (int)copy;
}

/* Copies a descriptor to where init may have it, and writes its number down as an argument. */
static int child_pass(struct launch *l, int arg, int fd) {
  if (fd < 0)
    return fd; /* its argument says "-1" */
  int copy = child_copy(l, F_DUPFD, fd);
  format_number(l->argv[arg], (unsigned)copy);
  return copy;
}

/*
 * Puts the standard streams and what is preserved into their places, by way of copies, for one may
 * stand in the place of another.
 */
static void child_place(struct launch *l) {
  const struct spawn *s = &l->spawn;
  int count = FIRST_OTHER_FD + (s->preserved ? (int)s->preserve : 0);
  for (int i = 0; i < count; i++) {
    int fd = i < FIRST_OTHER_FD ? l->stdio[i] : l->preserved[i - FIRST_OTHER_FD];
    l->placed[i] = fd == i || fd < 0 ? fd : child_copy(l, F_DUPFD_CLOEXEC, fd);
  }
  for (int i = 0; i < count; i++) {
    long result = 0;
    if (l->placed[i] < 0)
      sys1(SYS_close, i);
    else if (l->placed[i] != i)
      result = sys3(SYS_dup3, l->placed[i], i, 0);
    else if (i >= FIRST_OTHER_FD)
      result = sys3(SYS_fcntl, i, F_SETFD, 0);
    if (result < 0)
      child_fail(l, result);
  }
}

static void child_attributes(const struct launch *l) {
  if (l->spawn.umask >= 0)
    sys1(SYS_umask, l->spawn.umask);
  long result = l->spawn.files ? sys4(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)l->files, 0) : 0;
  if (result < 0)
    child_fail(l, result);
}

/* Signals stay blocked: init unblocks them once it has reset their dispositions. */
static int child_main(void *data) {
  struct launch *l = data;
  const struct spawn *s = &l->spawn;
  char *const env[] = {NULL};
  /* The image might be among the numbers that are about to change. */
  int image = child_copy(l, F_DUPFD_CLOEXEC, s->image);
  /* What our caller leaked into us stops here. Older kernels leave it to init. */
  sys3(NR_CLOSE_RANGE, l->first, ~0u, CLOSE_RANGE_WITH_CLOEXEC);
  l->sync = child_pass(l, ARG_SYNC, l->sync);
  child_pass(l, ARG_PLAN, s->plan);
  for (uint32_t i = 0; i < s->count; i++)
    child_pass(l, ARG_SLOTS + (int)i, l->fds[i]);
  child_place(l);
  child_attributes(l);
  child_fail(l, sys6(SYS_execveat, image, (long)"", (long)l->argv, (long)env, AT_EMPTY_PATH, 0));
}

static void fill_arguments(struct launch *l) {
  static const char name[] = "runts-init";
  uint32_t count = ARG_SLOTS + l->spawn.count;
  for (uint32_t i = 0; i < count; i++) {
    char *number = l->argv[i] = l->numbers[i];
    number[0] = '-';
    number[1] = '1';
    number[2] = '\0';
  }
  for (size_t i = 0; i < sizeof name; i++)
    l->numbers[ARG_NAME][i] = name[i];
  format_number(l->numbers[ARG_TRACE], l->spawn.trace);
  format_number(l->numbers[ARG_NAMESPACES], l->spawn.namespaces);
}

/* The pid, or -errno. */
static long start_child(struct launch *l, int32_t *pidfd) {
  long flags = CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_PIDFD | SIGCHLD;
  if (l->spawn.wait)
    flags |= CLONE_VFORK;
  l->in_use = 1;
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  long pid = clone_raw(flags, l->stack + sizeof l->stack, pidfd, &l->in_use, child_main, l);
  signals_mask(mask);
  if (pid < 0)
    l->in_use = 0;
  return pid;
}

static long make_conversation(int32_t fds[2]) {
  int room = SOCKET_ROOM; /* as much of it as net.core.wmem_max grants */
  long error = sys4(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (long)fds);
  for (int i = 0; i < 2 && error == 0; i++)
    sys6(SYS_setsockopt, fds[i], SOL_SOCKET, SO_SNDBUF, (long)&room, sizeof room, 0);
  return error;
}

static void copy_lists(struct launch *l, const struct spawn *spawn) {
  l->spawn = *spawn;
  for (uint32_t i = 0; i < spawn->count; i++)
    l->fds[i] = spawn->fds[i];
  for (int i = 0; i < FIRST_OTHER_FD; i++)
    l->stdio[i] = spawn->stdio[i];
  for (uint32_t i = 0; spawn->preserved && i < spawn->preserve; i++)
    l->preserved[i] = spawn->preserved[i];
  for (int i = 0; spawn->files && i < 2; i++)
    l->files[i] = spawn->files[i];
}

int launch_init(struct launch *l, const struct spawn *spawn, int32_t spawned[SPAWNED_COUNT]) {
  int32_t sockets[2];
  if (spawn->count > SLOTS_MAX || (spawn->preserved && spawn->preserve > PRESERVE_MAX))
    return -E2BIG;
  copy_lists(l, spawn);
  long error = make_conversation(sockets);
  if (error < 0)
    return (int)error;
  fill_arguments(l);
  l->first = FIRST_OTHER_FD + (int)l->spawn.preserve;
  l->sync = sockets[1];
  long pid = start_child(l, &spawned[SPAWNED_PIDFD]);
  sys1(SYS_close, sockets[1]);
  if (pid < 0) {
    sys1(SYS_close, sockets[0]);
    return (int)pid;
  }
  spawned[SPAWNED_PID] = (int32_t)pid;
  spawned[SPAWNED_SOCKET] = sockets[0];
  return 0;
}

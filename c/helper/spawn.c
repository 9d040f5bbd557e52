/*
 * Starts init. Its executable lies in a memfd that is sealed, so that no container can change it
 * (CVE-2019-5736); the plan lies in another.
 *
 * The child shares our memory and holds us up until it executes init (CLONE_VM | CLONE_VFORK).
 * Until then it runs on a stack of its own, does nothing but system calls, and never returns.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "../common/signals.h"
#include "../common/stop.h"
#include "../include/ops.h"
#include "helper.h"
#include "write.h"

#define CLOSE_RANGE_WITH_CLOEXEC 4u /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
#define MEMFD_EXEC 0x10u            /* Linux 6.3; vm.memfd_noexec may demand it */
#define CHILD_STACK 16384
#define SOCKET_ROOM (1 << 20)
#define NUMBER_MAX 12 /* characters of a descriptor, with its NUL */

enum { ARG_NAME, ARG_SYNC, ARG_PLAN, ARG_TRACE, ARG_SLOTS };

/* What the child reads; it stores the reason of a failure in `error`. */
struct spawn {
  int image;
  int sync; /* init's end of the conversation */
  int plan;
  const int32_t *fds;
  uint32_t count;
  const int32_t *stdio;
  int first; /* lowest number that init's descriptors may get */
  uint32_t trace;
  volatile int error;
  char *argv[ARG_SLOTS + SLOTS_MAX + 1];
  char numbers[ARG_SLOTS + SLOTS_MAX][NUMBER_MAX];
};

static int sealed_memfd(const char *name, unsigned flags, const uint8_t *bytes, size_t length) {
  flags |= MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = RETRY(syscall(SYS_memfd_create, name, flags));
  if (fd == -EINVAL)
    fd = RETRY(syscall(SYS_memfd_create, name, flags & ~MEMFD_EXEC));
  if (fd < 0)
    return fd;
  int error = write_all(fd, bytes, length);
  if (error == 0)
    error = RETRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
  if (error >= 0)
    return fd;
  close(fd);
  return error;
}

/* Made when first needed, and kept. */
static int init_image(void) {
  extern const uint8_t runts_init_start[], runts_init_end[];
  static int image = -1;
  if (image < 0)
    image = sealed_memfd("runts-init", MEMFD_EXEC, runts_init_start,
                         (size_t)(runts_init_end - runts_init_start));
  return image;
}

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

static _Noreturn void child_fail(struct spawn *s) {
  s->error = errno;
  end_process(127);
}

/* Copies a descriptor to where init may have it, and writes its number down as an argument. */
static void child_pass(struct spawn *s, int arg, int fd) {
  if (fd < 0)
    return; /* its argument says "-1" */
  int copy = fcntl(fd, F_DUPFD, s->first);
  if (copy < 0)
    child_fail(s);
  format_number(s->argv[arg], (unsigned)copy);
}

/* By way of copies, for they may be a permutation of 0, 1 and 2. */
static void child_stdio(struct spawn *s) {
  int copies[3];
  for (int i = 0; i < 3; i++) {
    copies[i] = s->stdio[i] == i ? i : fcntl(s->stdio[i], F_DUPFD_CLOEXEC, s->first);
    if (copies[i] < 0)
      child_fail(s);
  }
  for (int i = 0; i < 3; i++)
    if (copies[i] != i && dup2(copies[i], i) < 0)
      child_fail(s);
}

/* Signals stay blocked: init unblocks them once it has reset their dispositions. */
static int child_main(void *data) {
  struct spawn *s = data;
  char *const env[] = {NULL};
  /* The image might be among the numbers that are about to change. */
  int image = fcntl(s->image, F_DUPFD_CLOEXEC, s->first);
  if (image < 0)
    child_fail(s);
  /* What our caller leaked into us stops here. Older kernels leave it to init. */
  syscall(NR_CLOSE_RANGE, (unsigned)s->first, ~0u, CLOSE_RANGE_WITH_CLOEXEC);
  child_pass(s, ARG_SYNC, s->sync);
  child_pass(s, ARG_PLAN, s->plan);
  for (uint32_t i = 0; i < s->count; i++)
    child_pass(s, ARG_SLOTS + (int)i, s->fds[i]);
  child_stdio(s);
  syscall(SYS_execveat, image, "", s->argv, env, AT_EMPTY_PATH);
  child_fail(s);
}

static void fill_arguments(struct spawn *s) {
  uint32_t count = ARG_SLOTS + s->count;
  for (uint32_t i = 0; i < count; i++) {
    s->argv[i] = s->numbers[i];
    snprintf(s->numbers[i], NUMBER_MAX, "-1");
  }
  snprintf(s->numbers[ARG_NAME], NUMBER_MAX, "runts-init");
  format_number(s->numbers[ARG_TRACE], s->trace != 0);
  s->argv[count] = NULL;
}

/* The pid, or -errno when the child could not execute init; it is reaped then. */
static int start_child(struct spawn *s, int *pidfd) {
  _Alignas(16) char stack[CHILD_STACK];
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  int pid = clone(child_main, stack + sizeof stack, flags, s, pidfd);
  int error = errno;
  signals_mask(mask);
  if (pid < 0)
    return -error;
  if (s->error == 0)
    return pid;
  close(*pidfd);
  RETRY(waitpid(pid, NULL, 0));
  return -s->error;
}

static int make_conversation(int fds[2]) {
  int error = RETRY(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
  if (error < 0)
    return error;
  int room = SOCKET_ROOM; /* as much of it as net.core.wmem_max grants */
  for (int i = 0; i < 2; i++)
    setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return 0;
}

int32_t rts_spawn(const uint8_t *plan, uint64_t length, const int32_t *fds, uint32_t count,
                  const int32_t *stdio, uint32_t preserve, uint32_t trace, int32_t *spawned) {
  if (count > SLOTS_MAX || length > PLAN_MAX)
    return -E2BIG;
  struct spawn s = {.fds = fds, .count = count, .stdio = stdio, .trace = trace};
  STOP("@spawn");
  s.first = 3 + (int)preserve;
  fill_arguments(&s);
  s.image = init_image();
  if (s.image < 0)
    return s.image;
  s.plan = sealed_memfd("runts-plan", 0, plan, length);
  if (s.plan < 0)
    return s.plan;
  int sockets[2];
  int pid = make_conversation(sockets);
  if (pid == 0) {
    s.sync = sockets[1];
    pid = start_child(&s, &spawned[1]);
    close(sockets[1]);
    if (pid < 0)
      close(sockets[0]);
  }
  close(s.plan);
  if (pid < 0)
    return pid;
  STOP("@spawned");
  spawned[0] = pid;
  spawned[2] = sockets[0];
  return 0;
}

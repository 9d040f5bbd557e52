/*
 * The child shares our memory and holds us up until it executes init (CLONE_VM | CLONE_VFORK).
 * Until then it runs on a stack of its own, does nothing but system calls, and never returns.
 */
#define _GNU_SOURCE 1
#include "spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../include/ops.h"
#include "kernel.h"
#include "signals.h"

#define CLOSE_RANGE_WITH_CLOEXEC 4u /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
#define CHILD_STACK 16384
#define SOCKET_ROOM (1 << 20)
#define NUMBER_MAX 12 /* characters of a descriptor, with its NUL */
#define FIRST_OTHER_FD 3

enum { ARG_NAME, ARG_SYNC, ARG_PLAN, ARG_TRACE, ARG_SLOTS };

/* What the child works on; it stores the reason of a failure in `error`. A mapping of its own. */
struct launch {
  const struct spawn *spawn;
  int sync;  /* init's end of the conversation */
  int first; /* lowest number that init's descriptors may get */
  volatile int error;
  int32_t placed[FIRST_OTHER_FD + PRESERVE_MAX];
  char *argv[ARG_SLOTS + SLOTS_MAX + 1];
  char numbers[ARG_SLOTS + SLOTS_MAX][NUMBER_MAX];
  _Alignas(16) char stack[CHILD_STACK];
};

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

static _Noreturn void child_fail(struct launch *l) {
  l->error = errno;
  end_process(127);
}

static int child_copy(struct launch *l, int command, int fd) {
  int copy = fcntl(fd, command, l->first);
  if (copy < 0)
    child_fail(l);
  return copy;
}

/* Copies a descriptor to where init may have it, and writes its number down as an argument. */
static void child_pass(struct launch *l, int arg, int fd) {
  if (fd >= 0) /* else its argument says "-1" */
    format_number(l->argv[arg], (unsigned)child_copy(l, F_DUPFD, fd));
}

/*
 * Puts the standard streams and what is preserved into their places, by way of copies, for one may
 * stand in the place of another.
 */
static void child_place(struct launch *l) {
  const struct spawn *s = l->spawn;
  int count = FIRST_OTHER_FD + (s->preserved ? (int)s->preserve : 0);
  for (int i = 0; i < count; i++) {
    int fd = i < FIRST_OTHER_FD ? s->stdio[i] : s->preserved[i - FIRST_OTHER_FD];
    l->placed[i] = fd == i || fd < 0 ? fd : child_copy(l, F_DUPFD_CLOEXEC, fd);
  }
  for (int i = 0; i < count; i++) {
    if (l->placed[i] < 0)
      close(i);
    else if (l->placed[i] == i ? i >= FIRST_OTHER_FD && fcntl(i, F_SETFD, 0) < 0
                               : dup2(l->placed[i], i) < 0)
      child_fail(l);
  }
}

static void child_attributes(struct launch *l) {
  const struct spawn *s = l->spawn;
  if (s->umask >= 0)
    umask((mode_t)s->umask);
  if (s->files && syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, s->files, NULL) != 0)
    child_fail(l);
}

/* Signals stay blocked: init unblocks them once it has reset their dispositions. */
static int child_main(void *data) {
  struct launch *l = data;
  const struct spawn *s = l->spawn;
  char *const env[] = {NULL};
  /* The image might be among the numbers that are about to change. */
  int image = child_copy(l, F_DUPFD_CLOEXEC, s->image);
  /* What our caller leaked into us stops here. Older kernels leave it to init. */
  syscall(NR_CLOSE_RANGE, (unsigned)l->first, ~0u, CLOSE_RANGE_WITH_CLOEXEC);
  child_pass(l, ARG_SYNC, l->sync);
  child_pass(l, ARG_PLAN, s->plan);
  for (uint32_t i = 0; i < s->count; i++)
    child_pass(l, ARG_SLOTS + (int)i, s->fds[i]);
  child_place(l);
  child_attributes(l);
  syscall(SYS_execveat, image, "", l->argv, env, AT_EMPTY_PATH);
  child_fail(l);
}

static void fill_arguments(struct launch *l) {
  uint32_t count = ARG_SLOTS + l->spawn->count;
  for (uint32_t i = 0; i < count; i++) {
    l->argv[i] = l->numbers[i];
    strcpy(l->numbers[i], "-1");
  }
  strcpy(l->numbers[ARG_NAME], "runts-init");
  format_number(l->numbers[ARG_TRACE], l->spawn->trace);
}

/* The pid, or -errno when the child could not execute init; it is reaped then. */
static int start_child(struct launch *l, int *pidfd) {
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  int pid = clone(child_main, l->stack + sizeof l->stack, flags, l, pidfd);
  int error = errno;
  signals_mask(mask);
  if (pid < 0)
    return -error;
  if (l->error == 0)
    return pid;
  close(*pidfd);
  RETRY(waitpid(pid, NULL, 0));
  return -l->error;
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

static int launch(struct launch *l, int32_t *spawned) {
  int sockets[2];
  int error = make_conversation(sockets);
  if (error < 0)
    return error;
  fill_arguments(l);
  l->first = FIRST_OTHER_FD + (int)l->spawn->preserve;
  l->sync = sockets[1];
  int pid = start_child(l, &spawned[SPAWNED_PIDFD]);
  close(sockets[1]);
  if (pid < 0) {
    close(sockets[0]);
    return pid;
  }
  spawned[SPAWNED_PID] = pid;
  spawned[SPAWNED_SOCKET] = sockets[0];
  return 0;
}

int spawn_init(const struct spawn *spawn, int32_t spawned[SPAWNED_COUNT]) {
  if (spawn->count > SLOTS_MAX || (spawn->preserved && spawn->preserve > PRESERVE_MAX))
    return -E2BIG;
  struct launch *l =
      mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (l == MAP_FAILED)
    return -errno;
  l->spawn = spawn;
  int result = launch(l, spawned);
  munmap(l, sizeof *l);
  return result;
}

/*
 * The child shares our memory until it executes init (CLONE_VM), and does not hold us up meanwhile
 * unless it is to: on a busy machine it may have to wait for a processor. It runs on a stack of its own, does
 * nothing but system calls, which leave our errno alone, and never returns.
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

#include "../include/ops.h"
#include "../include/sync.h"
#include "kernel.h"
#include "raw.h"
#include "signals.h"

#define CLOSE_RANGE_WITH_CLOEXEC 4u /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
#define CHILD_STACK 16384
#define SOCKET_ROOM (1 << 20)
#define NUMBER_MAX 12 /* characters of a descriptor, with its NUL */
#define FIRST_OTHER_FD 3

enum { ARG_NAME, ARG_SYNC, ARG_PLAN, ARG_TRACE, ARG_SLOTS };

/* What the child has of us. A mapping of its own. */
struct launch {
  struct launch *next;
  int32_t in_use;     /* 0 once the child has left our memory: the kernel says so */
  struct spawn spawn; /* its lists are the next four */
  int32_t fds[SLOTS_MAX];
  int32_t stdio[FIRST_OTHER_FD];
  int32_t preserved[PRESERVE_MAX];
  uint64_t files[2];
  int sync;  /* init's end of the conversation */
  int first; /* lowest number that init's descriptors may get */
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
  uint32_t count = ARG_SLOTS + l->spawn.count;
  for (uint32_t i = 0; i < count; i++) {
    l->argv[i] = l->numbers[i];
    strcpy(l->numbers[i], "-1");
  }
  strcpy(l->numbers[ARG_NAME], "runts-init");
  format_number(l->numbers[ARG_TRACE], l->spawn.trace);
}

/* The pid, or -errno. */
static int start_child(struct launch *l, int *pidfd) {
  int flags = CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_PIDFD | SIGCHLD;
  l->in_use = 1;
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  int pid = clone(child_main, l->stack + sizeof l->stack, flags | (l->spawn.wait ? CLONE_VFORK : 0),
                  l, pidfd, NULL, &l->in_use);
  int error = errno;
  signals_mask(mask);
  if (pid > 0)
    return pid;
  l->in_use = 0;
  return -error;
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
  l->first = FIRST_OTHER_FD + (int)l->spawn.preserve;
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

/* Mappings that children may have in use. */
static struct launch *launches;

/* Gives back what they have left. */
static void free_launches(void) {
  for (struct launch **at = &launches; *at != NULL;) {
    struct launch *l = *at;
    if (__atomic_load_n(&l->in_use, __ATOMIC_ACQUIRE) != 0) {
      at = &l->next;
      continue;
    }
    *at = l->next;
    munmap(l, sizeof *l);
  }
}

static void copy_lists(struct launch *l, const struct spawn *spawn) {
  l->spawn = *spawn;
  memcpy(l->fds, spawn->fds, spawn->count * sizeof *l->fds);
  memcpy(l->stdio, spawn->stdio, sizeof l->stdio);
  if (spawn->preserved)
    memcpy(l->preserved, spawn->preserved, spawn->preserve * sizeof *l->preserved);
  if (spawn->files)
    memcpy(l->files, spawn->files, sizeof l->files);
}

int spawn_init(const struct spawn *spawn, int32_t spawned[SPAWNED_COUNT]) {
  if (spawn->count > SLOTS_MAX || (spawn->preserved && spawn->preserve > PRESERVE_MAX))
    return -E2BIG;
  free_launches();
  struct launch *l =
      mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (l == MAP_FAILED)
    return -errno;
  copy_lists(l, spawn);
  l->next = launches;
  launches = l;
  int result = launch(l, spawned);
  if (result < 0 || spawn->wait)
    free_launches();
  return result;
}

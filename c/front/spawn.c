/* What a front starts: init, and programs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "../common/clone.h"
#include "../common/launch.h"
#include "../common/signals.h"
#include "body.h"
#include "files.h"
#include "syscall.h"
#include "text.h"

#define RLIMIT_NOFILE_NUMBER 7
#define NR_CLOSE_RANGE 436
#define NOT_EXECUTED 127

/* An init that is given descriptors later takes no more of them, and must be allowed these by the caller's limit. */
#define EARLY_FILES 256

enum { GIVEN_IMAGE, GIVEN_PLAN, GIVEN_STDIO, GIVEN_STREAMS = 3, GIVEN_LOCK };

static int is_sealed(int fd) {
  long seals = sys3(SYS_FCNTL, fd, F_GET_SEALS, 0);
  return seals >= 0 && (seals & F_SEAL_WRITE);
}

static int is_early(const struct body_spawn *s) {
  return (s->flags & BODY_SPAWN_EARLY) != 0;
}

static uint32_t streams_at(const struct body_spawn *s) {
  return is_early(s) ? GIVEN_PLAN : GIVEN_STDIO;
}

static int is_sound(const struct body_spawn *s, const struct request *r) {
  uint32_t streams = s->stdio == BODY_STDIO_GIVEN ? GIVEN_STREAMS : 0;
  return s->slots <= (is_early(s) ? 0 : SLOTS_MAX) && s->preserve <= BODY_PRESERVE_MAX &&
         (s->stdio == BODY_STDIO_GIVEN || s->stdio == BODY_STDIO_OWN) &&
         r->fd_count == streams_at(s) + streams && is_sealed(r->fds[GIVEN_IMAGE]) &&
         (is_early(s) || is_sealed(r->fds[GIVEN_PLAN]));
}

static void drop_places(struct body *body) {
  if (body->has_places)
    close_all(body->places, SLOTS_MAX);
  body->has_places = 0;
  body->places_error = 0;
}

/* The memory goes with us: whoever it is for may still use it. */
long do_spawn(struct body *body, const struct request *r, struct answer *a) {
  static const int32_t own[] = {0, 1, 2};
  struct body_spawn s;
  int32_t spawned[SPAWNED_COUNT];
  if (r->size < sizeof s)
    return -EINVAL;
  put_bytes((char *)&s, (const char *)r->fields, sizeof s);
  if (!is_sound(&s, r) || (s.slots > 0 && !body->has_places && !body->places_error))
    return -EINVAL;
  if (is_early(&s) && body->files[0] < EARLY_FILES)
    return -EMFILE;
  struct spawn spawn = {
      .image = r->fds[GIVEN_IMAGE],
      .plan = is_early(&s) ? -1 : r->fds[GIVEN_PLAN],
      .fds = body->places,
      .count = s.slots,
      .stdio = s.stdio == BODY_STDIO_OWN ? own : r->fds + streams_at(&s),
      .preserve = s.preserve,
      .trace = s.flags & BODY_SPAWN_TRACE,
      .namespaces = is_early(&s) ? s.flags & BODY_SPAWN_NAMESPACES : 0,
      .umask = -1,
      .files = body->files,
  };
  int result = (int)body->places_error;
  if (result == 0)
    result = launch_init(new_pages(sizeof(struct launch)), &spawn, spawned);
  drop_places(body);
  if (result < 0)
    return result;
  a->fields.spawned.pid = spawned[SPAWNED_PID];
  a->fields.spawned.reserved = 0;
  a->size = sizeof a->fields.spawned;
  a->fds[0] = spawned[SPAWNED_PIDFD];
  a->fds[1] = spawned[SPAWNED_SOCKET];
  a->fd_count = 2;
  return 0;
}

/* What the child has of us. */
struct program {
  const char *directory, *path;
  char **args, **env;
  const int32_t *streams;
  const uint64_t *files;
  volatile int32_t error;
  _Alignas(16) char stack[CHILD_STACK];
};

static void child_end(struct program *p, long error) {
  p->error = (int32_t)-error;
  for (;;)
    sys1(SYS_EXIT_GROUP, NOT_EXECUTED);
}

/* By way of copies, for one may stand in the place of another. */
static void child_streams(struct program *p) {
  long copies[GIVEN_STREAMS];
  for (int i = 0; i < GIVEN_STREAMS; i++) {
    copies[i] = sys3(SYS_FCNTL, p->streams[i], F_DUPFD_CLOEXEC, GIVEN_STREAMS);
    if (copies[i] < 0)
      child_end(p, copies[i]);
  }
  for (int i = 0; i < GIVEN_STREAMS; i++) {
    long result = sys3(SYS_dup3, copies[i], i, 0);
    if (result < 0)
      child_end(p, result);
  }
}

static int program_main(void *data) {
  static const char root[] = "/", itself[] = "/proc/self/exe";
  struct program *p = data;
  signals_reset();
  sys2(SYS_setpgid, 0, 0);
  child_streams(p);
  if (*p->directory && sys1(SYS_CHDIR, (long)p->directory) < 0)
    sys1(SYS_CHDIR, (long)root);
  sys3(NR_CLOSE_RANGE, GIVEN_STREAMS, ~0u, 0);
  sys4(SYS_PRLIMIT64, 0, RLIMIT_NOFILE_NUMBER, (long)p->files, 0);
  child_end(p, sys3(SYS_execve, (long)(*p->path ? p->path : itself), (long)p->args, (long)p->env));
  return 0;
}

/* So many texts as a list that ends in NULL; NULL where there are fewer. */
static char **take_texts(char **at, const char *end, uint32_t count) {
  char **list = new_pages((count + 1) * sizeof *list);
  for (uint32_t i = 0; i < count; i++) {
    if (*at >= end)
      return NULL;
    list[i] = *at;
    *at += length(*at) + 1;
  }
  return list;
}

static int take_command(struct program *p, char *bytes, long size) {
  struct body_command *command = (struct body_command *)bytes;
  char *at = bytes + sizeof *command, *end = bytes + size;
  long texts = size - (long)sizeof *command;
  if (texts <= 0 || end[-1] != 0 || command->arguments == 0 || command->arguments > texts ||
      command->variables > texts)
    return 0;
  char **paths = take_texts(&at, end, 2);
  if (!paths)
    return 0;
  p->directory = paths[0];
  p->path = paths[1];
  p->args = take_texts(&at, end, command->arguments);
  p->env = p->args ? take_texts(&at, end, command->variables) : NULL;
  return p->env && at == end;
}

/* The file's bytes, in memory that stays. */
static long read_command(int fd, struct program *p) {
  struct statx st;
  long result = look_at(fd, "", &st);
  if (result < 0)
    return result;
  char *bytes = new_pages(st.stx_size + 1);
  for (uint64_t done = 0; done < st.stx_size;) {
    long n =
        sys4(SYS_PREAD64, fd, (long)bytes + (long)done, (long)(st.stx_size - done), (long)done);
    if (n <= 0)
      return n < 0 ? n : -EIO;
    done += (uint64_t)n;
  }
  return take_command(p, bytes, (long)st.stx_size) ? 0 : -EINVAL;
}

long hold_lock(struct body *body, int32_t pid, int32_t *fds, uint32_t count) {
  if (body->lock >= 0)
    sys1(SYS_CLOSE, body->lock);
  body->lock = count > 0 ? fds[0] : -1;
  body->lock_pid = pid;
  if (count > 0)
    fds[0] = -1;
  return 0;
}

/* It is executed before we go on, so that `error` is settled. */
static long start_program(const struct body *body, struct program *p, int32_t file,
                          const int32_t *streams, int32_t *pidfd) {
  long result = read_command(file, p);
  if (result < 0)
    return result;
  p->streams = streams;
  p->files = body->files;
  uint64_t mask = signals_mask(SIGNALS_ALL);
  long flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  long pid = clone_raw(flags, p->stack + sizeof p->stack, pidfd, NULL, program_main, p);
  signals_mask(mask);
  return pid;
}

void run_to_end(const struct body *body, int32_t file) {
  static const int32_t own[] = {0, 1, 2};
  struct program *p = new_pages(sizeof *p);
  int32_t pidfd = -1;
  long pid = start_program(body, p, file, own, &pidfd);
  while (pid > 0 && sys4(SYS_WAIT4, pid, 0, 0, 0) == -EINTR)
    ;
}

long do_program(struct body *body, const struct request *r, struct answer *a) {
  struct program *p = new_pages(sizeof *p);
  int32_t pidfd = -1;
  if (r->fd_count < GIVEN_LOCK || r->fd_count > GIVEN_LOCK + 1)
    return -EINVAL;
  long pid = start_program(body, p, r->fds[0], r->fds + 1, &pidfd);
  if (pid < 0)
    return pid;
  a->fields.program = (struct body_program){.pid = (int32_t)pid, .error = p->error};
  a->size = sizeof a->fields.program;
  a->fds[0] = pidfd;
  a->fd_count = p->error == 0;
  if (p->error == 0) {
    if (r->fd_count > GIVEN_LOCK)
      hold_lock(body, (int32_t)pid, r->fds + GIVEN_LOCK, 1);
    return 0;
  }
  sys4(SYS_WAIT4, pid, 0, 0, 0);
  sys1(SYS_CLOSE, pidfd);
  return 0;
}

/* What each request does. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/spawn.h"
#include "shim.h"

enum { GIVEN_IMAGE, GIVEN_PLAN, GIVEN_STDIO, GIVEN_STREAMS = 3 };

static int do_hello(struct reply *reply) {
  struct body_hello *hello = &reply->fields.hello;
  hello->version = BODY_VERSION;
  hello->pid = getpid();
  memcpy(hello->build_id, RUNTS_BUILD_ID, BUILD_ID_LENGTH);
  reply->size = sizeof *hello;
  return 0;
}

static int index_of(int32_t place) {
  if (place >= 0 && place < SLOTS_MAX)
    return place;
  if (place >= BODY_PLACE_PRESERVED && place < BODY_PLACE_PRESERVED + BODY_PRESERVE_MAX)
    return SLOTS_MAX + place - BODY_PLACE_PRESERVED;
  return -EINVAL;
}

static int make_places(struct connection *c) {
  if (c->places)
    return 0;
  c->places = malloc(PLACES_MAX * sizeof *c->places);
  if (!c->places)
    return -ENOMEM;
  memset(c->places, -1, PLACES_MAX * sizeof *c->places);
  return 0;
}

static int do_fds(struct connection *c, const struct request *r, int32_t *fds, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (index_of(r->fields.places[i]) < 0)
      return -EINVAL;
  int error = make_places(c);
  for (uint32_t i = 0; i < count && error == 0; i++) {
    int32_t *place = &c->places[index_of(r->fields.places[i])];
    if (*place >= 0)
      close(*place);
    *place = fds[i];
    fds[i] = -1;
  }
  return error;
}

static bool is_sealed(int fd) {
  int seals = fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_WRITE);
}

static int check_spawn(const struct body_spawn *s, const int32_t *fds, uint32_t count) {
  bool terminal = s->stdio == BODY_STDIO_TERMINAL;
  uint32_t streams = s->stdio == BODY_STDIO_GIVEN ? GIVEN_STREAMS : 0;
  if (s->slots > SLOTS_MAX || s->preserve > BODY_PRESERVE_MAX || s->stdio > BODY_STDIO_GIVEN)
    return -EINVAL;
  if (terminal ? s->console < 0 || (uint32_t)s->console >= s->slots : s->console != -1)
    return -EINVAL;
  if (count != GIVEN_STDIO + streams || s->umask > 0777 || (s->flags & ~(uint32_t)BODY_SPAWN_TRACE))
    return -EINVAL;
  return is_sealed(fds[GIVEN_IMAGE]) && is_sealed(fds[GIVEN_PLAN]) ? 0 : -EINVAL;
}

/* Starts init with the ends of the streams that are the program's. */
static int spawn(struct connection *c, const struct body_spawn *s, const int32_t *fds,
                 const int32_t *stdio, struct reply *reply) {
  int32_t spawned[SPAWNED_COUNT];
  struct spawn request = {
      .image = fds[GIVEN_IMAGE],
      .plan = fds[GIVEN_PLAN],
      .fds = c->places,
      .count = s->slots,
      .stdio = stdio,
      .preserve = s->preserve,
      .preserved = c->places + SLOTS_MAX,
      .trace = s->flags & BODY_SPAWN_TRACE,
      .wait = true, /* no memory is to be held for it */
      .umask = (int)s->umask,
      .files = the_monitor.files,
  };
  int error = spawn_init(&request, spawned);
  if (error != 0)
    return error;
  reply->fields.spawned.pid = spawned[SPAWNED_PID];
  reply->size = sizeof reply->fields.spawned;
  reply->fds[0] = spawned[SPAWNED_PIDFD];
  reply->fds[1] = spawned[SPAWNED_SOCKET];
  reply->fd_count = 2;
  return 0;
}

static int do_spawn(struct connection *c, const struct request *r, int32_t *fds, uint32_t count,
                    struct reply *reply) {
  const struct body_spawn *s = &r->fields.spawn;
  int32_t stdio[3] = {STDIN_FILENO, STDIN_FILENO, STDIN_FILENO}; /* our own are /dev/null */
  struct process *p = NULL;
  int error = check_spawn(s, fds, count);
  if (error == 0)
    error = make_places(c);
  if (error == 0)
    error = process_make(r->text[0], c, &p);
  if (error == 0 && s->stdio == BODY_STDIO_GIVEN)
    memcpy(stdio, fds + GIVEN_STDIO, sizeof stdio);
  else if (error == 0 && s->stdio == BODY_STDIO_TERMINAL)
    error = console_make(p, &c->places[s->console]);
  else if (error == 0 && s->stdio != BODY_STDIO_NULL)
    error = streams_make(p, s->stdio == BODY_STDIO_INPUT, stdio);
  if (error == 0)
    error = spawn(c, s, fds, stdio, reply);
  if (s->stdio == BODY_STDIO_PIPES || s->stdio == BODY_STDIO_INPUT)
    for (int i = 0; i < 3; i++)
      if (stdio[i] != STDIN_FILENO)
        close(stdio[i]);
  if (error != 0 && p)
    process_discard(p);
  connection_drop_places(c);
  return error;
}

static int do_ending(const struct request *r, struct reply *reply) {
  struct ending ending;
  reap_all();
  int error = ending_find(r->fields.pid, &ending);
  reply->fields.ending = ending.body;
  reply->size = sizeof ending.body;
  return error;
}

/* What a child has may be denied to anybody but its parent. */
static int do_fetch(pid_t pid, int32_t number, struct reply *reply) {
  struct ending ending;
  if (ending_find(pid, &ending) != -EAGAIN)
    return -ESRCH;
  CLEANUP_FD int pidfd = (int)RETRY(syscall(NR_PIDFD_OPEN, pid, 0));
  int fd = pidfd < 0 ? pidfd : (int)RETRY(syscall(NR_PIDFD_GETFD, pidfd, number, 0));
  if (fd < 0)
    return fd;
  reply->fds[0] = fd;
  reply->fd_count = 1;
  return 0;
}

static int do_status(struct reply *reply) {
  reply->fields.status = (struct body_status){
      .written = the_monitor.written,
      .lost = the_monitor.lost,
      .skipped = the_monitor.skipped,
      .processes = processes_alive(),
      .connections = connection_count(),
  };
  reply->size = sizeof reply->fields.status;
  return 0;
}

/* The reply goes first: what happened before follows it. */
static int do_subscribe(struct connection *c, const struct request *r, struct reply *reply) {
  ended_range(&reply->fields.subscribed);
  reply->size = sizeof reply->fields.subscribed;
  connection_reply(c, reply);
  ended_tell(c, r->fields.since);
  c->subscribed = true;
  return 1;
}

static int do_terminal(const char *name, struct connection *c, struct reply *reply) {
  reply->fds[0] = -1;
  int error = terminal_make(name, c, &reply->fds[0]);
  reply->fd_count = error == 0;
  return error;
}

static int do_hold(int32_t *fds, uint32_t count, struct reply *reply) {
  for (uint32_t i = 0; i < BODY_HELD_MAX; i++)
    reply->fields.held.fds[i] = i < count ? fds[i] : -1;
  reply->size = sizeof reply->fields.held;
  hold(fds, count);
  return 0;
}

static int do_attach(struct process *p, uint32_t flags, int32_t *fd, struct reply *reply) {
  if (flags & ~(uint32_t)(BODY_ATTACH_STDIN | BODY_ATTACH_REPLAY | BODY_ATTACH_EXCLUSIVE))
    return -EINVAL;
  if (flags & BODY_ATTACH_EXCLUSIVE && is_attended(p))
    return -EBUSY;
  if (fd)
    return attach_given(p, flags, fd);
  int error = attach(p, flags, &reply->fds[0]);
  reply->fd_count = error == 0;
  return error;
}

static int do_run(const int32_t *fds, uint32_t count, struct reply *reply) {
  pid_t pid = program_start(fds[0], fds + 1, count - 1, false);
  if (pid < 0)
    return pid;
  reply->fds[0] = (int32_t)RETRY(syscall(NR_PIDFD_OPEN, pid, 0));
  reply->fd_count = reply->fds[0] >= 0;
  reply->fields.spawned.pid = pid;
  reply->size = sizeof reply->fields.spawned;
  return 0;
}

static int do_shim(const struct request *r, int32_t *fds) {
  int error = r->fields.flags != 0 || *r->text[0] == '\0' ? -EINVAL : program_check(fds[1]);
  if (error == 0)
    error = peers_listen(fds[0]);
  if (error != 0)
    return error;
  fds[0] = -1;
  return link_start(r->text[0], r->text[1], r->text[2], &fds[1]);
}

/* What is long comes in a file. */
static int do_answer(const struct request *r, const int32_t *fds, uint32_t count) {
  uint8_t *bytes = NULL;
  struct stat st = {0};
  const struct body_answer *a = &r->fields.answer;
  link_works();
  if (count == 0) {
    frame_answer(a->connection, a->stream, r->bytes, r->length);
    return 1;
  }
  size_t length = fstat(fds[0], &st) == 0 && S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
  if (length > 0 && (bytes = map_memory(length)) &&
      RETRY(pread(fds[0], bytes, length, 0)) == (long)length)
    frame_answer(a->connection, a->stream, bytes, length);
  unmap_memory(bytes, length);
  return 1;
}

static int do_fifo(const struct request *r, struct reply *reply) {
  if (r->fields.flags & ~(uint32_t)BODY_FIFO_READ)
    return -EINVAL;
  if (*r->text[1] == '\0') {
    fifos_drop(r->text[0]);
    return 0;
  }
  int error = fifo_open(r->text[0], r->text[1], r->fields.flags & BODY_FIFO_READ, &reply->fds[0]);
  reply->fd_count = error == 0;
  return error;
}

/* Those that are about a process that there is. */
static int perform_on(struct process *p, const struct request *r, int32_t *fds, uint32_t count,
                      struct reply *reply) {
  switch (r->header.operation) {
  case BODY_WATCH:
    return process_watch(p, r, fds, count);
  case BODY_ATTACH:
    return do_attach(p, r->fields.flags, count > 0 ? fds : NULL, reply);
  case BODY_KEEP:
    return replay_size(p, r->fields.flags);
  case BODY_RESIZE:
    return terminal_resize(p, r->fields.size[0], r->fields.size[1]);
  case BODY_ON_END:
    p->commands = true;
    return 0;
  case BODY_FORWARD:
    return forward(p, r->fields.flags, fds, count);
  case BODY_CLOSE_STDIN:
    input_finish(p);
    return 0;
  default: /* BODY_REOPEN_LOG */
    return p->log ? log_reopen(p->log) : 0;
  }
}

int perform(struct connection *c, const struct request *r, int32_t *fds, uint32_t count,
            struct reply *reply) {
  int32_t none = -1;
  switch (r->header.operation) {
  case BODY_HELLO:
    return do_hello(reply);
  case BODY_FDS:
    return do_fds(c, r, fds, count);
  case BODY_SPAWN:
    return do_spawn(c, r, fds, count, reply);
  case BODY_ENDING:
    return do_ending(r, reply);
  case BODY_SUBSCRIBE:
    return do_subscribe(c, r, reply);
  case BODY_STATUS:
    return do_status(reply);
  case BODY_COMMAND:
    return command_set(count > 0 ? fds : &none);
  case BODY_WAKE:
    wake_in(r->fields.ms);
    return 0;
  case BODY_LEAVE:
    the_monitor.leaving = true;
    return 0;
  case BODY_FETCH:
    return do_fetch(r->fields.fetch[0], r->fields.fetch[1], reply);
  case BODY_TERMINAL:
    return do_terminal(r->text[0], c, reply);
  case BODY_HOLD:
    return do_hold(fds, count, reply);
  case BODY_DRAIN:
    return process_drain(r->text[0], r->fields.flags != 0);
  case BODY_RUN:
    return do_run(fds, count, reply);
  case BODY_SHIM:
    return do_shim(r, fds);
  case BODY_ANSWER:
    return do_answer(r, fds, count);
  case BODY_PARK:
    frame_park(r->fields.answer.connection, r->fields.answer.stream, r->text[0]);
    return 1;
  case BODY_BEGIN:
    frame_begin(r->fields.answer.connection, r->fields.answer.stream);
    return 1;
  case BODY_BRAIN:
    link_know(count > 0 ? fds : &none);
    return 1;
  case BODY_FIFO:
    return do_fifo(r, reply);
  default: {
    struct process *p = process_find(r->text[0]);
    return p ? perform_on(p, r, fds, count, reply) : -ENOENT;
  }
  }
}

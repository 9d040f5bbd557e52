/* The processes that are watched, and their ends. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

/* The command is run on the end of this one, whoever asks. */
#define INIT_NAME "init"

static struct process *processes;

/* One that has ended may still be there, for something writes to its streams. */
struct process *process_find(const char *name) {
  for (struct process *p = processes; p; p = p->next)
    if (!p->ended && strcmp(p->name, name) == 0)
      return p;
  return NULL;
}

int process_make(const char *name, struct connection *owner, struct process **made) {
  if (*name == '\0')
    return -EINVAL;
  if (process_find(name))
    reap_all(); /* it may have ended just now */
  if (process_find(name))
    return -EEXIST;
  struct process *p = calloc(1, sizeof *p + strlen(name) + 1);
  if (!p)
    return -ENOMEM;
  strcpy(p->name, name);
  p->owner = owner;
  for (int i = 0; i < 2; i++)
    p->output[i] = (struct stream){.source.fd = -1, .process = p, .number = (uint8_t)(i + 1)};
  p->input.source.fd = p->console.fd = p->control.source.fd = -1;
  p->feed.fd = p->keep = -1;
  p->directory = p->record = p->exit_fifo = p->oom = -1;
  p->replay_size = BODY_REPLAY_MAX;
  p->next = processes;
  processes = *made = p;
  return 0;
}

static void close_one(int *fd) {
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void process_close(struct process *p) {
  close_one(&p->exit_fifo);
  close_one(&p->directory);
  close_one(&p->record);
  close_one(&p->oom);
  loop_remove(&p->console);
  loop_remove(&p->control.source);
}

void process_discard(struct process *p) {
  struct process **at = &processes;
  while (*at != p)
    at = &(*at)->next;
  *at = p->next;
  process_close(p);
  input_close(p);
  feed_close(p);
  for (int i = 0; i < 2; i++)
    stream_close(&p->output[i]);
  attach_end(p);
  log_release(p->log);
  free(p);
}

void processes_of_end(const struct connection *owner) {
  for (struct process *p = processes, *next; p; p = next) {
    next = p->next;
    if (p->owner == owner)
      process_discard(p);
  }
}

int terminal_make(const char *name, struct connection *owner, int32_t *slot) {
  struct process *p = process_find(name);
  if (p && p->kept)
    process_discard(p);
  int error = process_make(name, owner, &p);
  if (error != 0)
    return error;
  p->kept = true;
  error = console_make(p, slot);
  if (error != 0)
    process_discard(p);
  return error;
}

static void terminals_stay(void) {
  for (struct process *p = processes; p; p = p->next)
    if (p->kept)
      p->owner = NULL;
}

static void terminals_end(void) {
  for (struct process *p = processes, *next; p; p = next) {
    next = p->next;
    if (p->kept)
      process_discard(p);
  }
}

int process_drain(const char *name, bool force) {
  if (process_find(name))
    return -EBUSY;
  int result = 0;
  for (struct process *p = processes, *next; p; p = next) {
    next = p->next;
    if (strcmp(p->name, name) != 0)
      continue;
    if (force)
      process_discard(p);
    else
      result = -EAGAIN;
  }
  return result;
}

void process_settle(struct process *p) {
  if (p->ended && p->output[0].source.fd < 0 && p->output[1].source.fd < 0)
    process_discard(p);
}

/* What still writes to the streams of a former process of that name is not heard any more. */
static void discard_former(const struct process *successor) {
  for (struct process *p = processes, *next; p; p = next) {
    next = p->next;
    if (p == successor || !p->ended || strcmp(p->name, successor->name) != 0)
      continue;
    streams_drain(p);
    process_discard(p);
  }
}

static bool is_killed_for_memory(const struct process *p, const struct body_ending *ending) {
  return ending->code == 128 + 9 && oom_kills_of(p->oom) > p->oom_kills;
}

/*
 * The record is there before anybody is told. What the program wrote is in the log before, and by the
 * time that the fifo ends nothing is left of it here.
 */
static void process_end(struct process *p, const struct ending *ending) {
  struct ending end = *ending;
  bool is_init = strcmp(p->name, INIT_NAME) == 0, commands = is_init || p->commands;
  int fifo = p->exit_fifo;
  p->exit_fifo = -1;
  p->ended = true;
  console_look(p);
  streams_drain(p);
  if (is_killed_for_memory(p, &end.body))
    end.body.flags |= BODY_OOM;
  record_write(p->directory, p->record, &end);
  unlinkat(p->directory, "exit", 0);
  process_close(p);
  input_close(p);
  feed_close(p);
  if (!(end.body.flags & BODY_UNEXECUTED)) /* else it may be made once more */
    fifos_drop(p->name);
  ended_keep(p->name, &end);
  frames_unpark(p->name);
  process_settle(p);
  close_one(&fifo);
  if (is_init)
    terminals_end();
  if (commands)
    command_run();
}

static struct process *find_pid(pid_t pid) {
  for (struct process *p = processes; p; p = p->next)
    if (p->pid == pid && !p->ended)
      return p;
  return NULL;
}

bool process_watched(pid_t pid) {
  return find_pid(pid) != NULL;
}

void process_ended(const struct ending *ending) {
  struct process *p = find_pid(ending->body.pid);
  if (p)
    process_end(p, ending);
}

/* What is to be watched: 0, or -EAGAIN while it lives, and its ending when it does not. */
static int look(const struct process *p, pid_t pid, struct ending *ending) {
  if (pid <= 0)
    return -ESRCH;
  if (p->pid != 0 || find_pid(pid))
    return -EBUSY;
  reap_all();
  return ending_find(pid, ending);
}

static int take_files(struct process *p, int32_t *fds, uint32_t count) {
  int record = record_prepare(fds[0]);
  if (record < 0)
    return record;
  p->record = record;
  p->directory = fds[0];
  fds[0] = -1;
  p->exit_fifo = (int)RETRY(openat(p->directory, "exit", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (count > 1) {
    p->oom = fds[1];
    fds[1] = -1;
  }
  p->oom_kills = oom_kills_of(p->oom);
  return 0;
}

int process_watch(struct process *p, const struct request *r, int32_t *fds, uint32_t count) {
  const struct body_watch *w = &r->fields.watch;
  struct ending ending;
  int ended = look(p, w->pid, &ending);
  if (ended != 0 && ended != -EAGAIN)
    return ended;
  int error = log_open(w, r->text[1], r->text[2], &p->log);
  if (error == 0)
    error = take_files(p, fds, count);
  if (error != 0) {
    log_release(p->log);
    p->log = NULL;
    return error;
  }
  discard_former(p);
  p->owner = NULL;
  if (strcmp(p->name, INIT_NAME) == 0)
    terminals_stay();
  console_look(p);
  p->pid = w->pid;
  control_open(p);
  streams_begin(p);
  feed_begin(p);
  if (ended == 0)
    process_end(p, &ending);
  return 0;
}

uint32_t processes_alive(void) {
  uint32_t count = 0;
  for (struct process *p = processes; p; p = p->next)
    count += p->pid != 0 && !p->ended;
  return count;
}

void processes_flush(void) {
  for (struct process *p = processes; p; p = p->next)
    streams_drain(p);
}

void processes_rest(void) {
  for (struct process *p = processes; p; p = p->next)
    streams_rest(p);
}

bool processes_exist(void) {
  return processes != NULL;
}

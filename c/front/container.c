#define _GNU_SOURCE
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "files.h"
#include "syscall.h"
#include "text.h"
#include "wait.h"

#define STAT_ROOM 1024
#define FREEZER_ROOM 256
/* Of proc_pid_stat(5), counted from the one behind the name. */
#define FIELD_FLAGS 6
#define FIELD_START_TIME 19
#define FORKED_ONLY 0x40 /* PF_FORKNOEXEC */

static const char *field(const char *at, int number) {
  while (number > 0 && *at)
    if (*at++ == ' ')
      number--;
  return at;
}

int read_stat(int pid, struct process_stat *stat) {
  char path[64], text[STAT_ROOM];
  const char *at = NULL, *number;
  put_string(put_decimal(put_string(path, "/proc/"), (uint64_t)pid), "/stat");
  if (read_small(AT_FDCWD, path, text, sizeof text) < 0)
    return 0;
  /* The name, in parentheses, may itself hold parentheses. */
  for (const char *c = text; *c; c++)
    if (*c == ')')
      at = c + 2;
  if (!at)
    return 0;
  stat->is_ended = *at == 'Z' || *at == 'X' || *at == 'x';
  number = field(at, FIELD_FLAGS);
  stat->is_executed = (take_decimal(&number) & FORKED_ONLY) == 0;
  number = field(at, FIELD_START_TIME);
  stat->start_time = (uint64_t)take_decimal(&number);
  return 1;
}

static int read_alive(const struct prepared *record, struct process_stat *stat) {
  return read_stat(record->pid, stat) && stat->start_time == record->start_time && !stat->is_ended;
}

int is_alive(const struct prepared *record) {
  struct process_stat stat;
  return read_alive(record, &stat);
}

/* Whether one of its files says so, or cannot be read. */
static int may_be_frozen(const struct prepared *record) {
  char text[FREEZER_ROOM];
  const char *state = text_of(record, record->freezer_state);
  const char *freeze = text_of(record, record->cgroup_freeze);
  const char *events = text_of(record, record->cgroup_events);
  if (*state && (read_small(AT_FDCWD, state, text, sizeof text) < 0 || !is_same(text, "THAWED\n")))
    return 1;
  if (*freeze && (read_small(AT_FDCWD, freeze, text, sizeof text) < 0 || !is_same(text, "0\n")))
    return 1;
  if (!*events)
    return 0;
  if (read_small(AT_FDCWD, events, text, sizeof text) < 0)
    return 1;
  for (const char *at = text; *at; at++)
    if (after(at, "frozen 0\n"))
      return 0;
  return 1;
}

/* In the order of lib/state/inspect.ts: each look counts at its time. */
enum state state_of(const struct container *container) {
  const struct prepared *record = container->record;
  struct process_stat stat;
  struct statx st;
  if (!read_alive(record, &stat))
    return STATE_STOPPED;
  if (may_be_frozen(record))
    return STATE_UNKNOWN;
  if (stat.is_executed)
    return STATE_RUNNING;
  long result = look_at(container->directory, "exec.fifo", &st);
  if (result < 0 && result != -ENOENT)
    return STATE_UNKNOWN;
  int waits = result == 0 && type_of(&st) == S_IFIFO;
  if (!read_alive(record, &stat))
    return STATE_STOPPED;
  return waits && !stat.is_executed ? STATE_CREATED : STATE_RUNNING;
}

long open_init(const struct prepared *record) {
  long pidfd = sys2(SYS_PIDFD_OPEN, record->pid, 0);
  if (pidfd < 0 || is_alive(record))
    return pidfd;
  sys1(SYS_CLOSE, pidfd);
  return -ESRCH;
}

int has_ended(long pidfd, long milliseconds) {
  struct pollfd polled = {.fd = (int)pidfd, .events = POLLIN};
  return wait_for(&polled, 1, milliseconds) > 0;
}

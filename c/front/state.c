/* `state`: prints the document of a container. */
#define _GNU_SOURCE
#include <errno.h>

#include "action.h"
#include "files.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"
#include "wait.h"

/* The exit code of a program that SIGPIPE ended (lib/cli/output.ts). */
#define BROKEN_PIPE 141
#define WAIT_MS 1000

const char *name_of_state(enum state state) {
  return state == STATE_CREATED ? "created" : state == STATE_RUNNING ? "running" : "stopped";
}

size_t state_room(const struct prepared *record) {
  return record->before_pid.length + record->before_state.length + record->after_state.length + 64;
}

char *put_state(char *to, const struct prepared *record, enum state state) {
  int pid = state == STATE_STOPPED ? 0 : record->pid;
  to = put_decimal(put_string(to, text_of(record, record->before_pid)), (uint64_t)pid);
  to = put_string(to, text_of(record, record->before_state));
  return put_string(put_string(to, name_of_state(state)), text_of(record, record->after_state));
}

int print(const char *text, const char *end) {
  const char *at = text;
  ignore_broken_pipe();
  while (at < end) {
    long n = sys3(SYS_WRITE, 1, (long)at, end - at);
    if (n >= 0) {
      at += n;
    } else if (at == text) {
      return COLD; /* Deno gets the same error, and reports it */
    } else if (n == -EPIPE) {
      return BROKEN_PIPE;
    } else if (n == -EAGAIN) {
      struct pollfd output = {.fd = 1, .events = POLLOUT};
      wait_for(&output, 1, WAIT_MS);
    } else {
      return COLD;
    }
  }
  return DONE;
}

int print_state(const struct target *target) {
  const struct prepared *record = target->container.record;
  enum state state = state_of(&target->container);
  if (state == STATE_UNKNOWN)
    return COLD;
  char *text = new_pages(state_room(record));
  return print(text, put_state(text, record, state));
}

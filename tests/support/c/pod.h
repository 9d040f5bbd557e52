/* Processes of a pod, for tests of what a monitor in shim mode does with them. */
#ifndef TEST_POD_H
#define TEST_POD_H

#include "brain.h"

/* Where the records of ends go. */
static int directory = -1;

static inline int sealed(const void *bytes, size_t length) {
  int fd = sealed_memfd("test", 0, bytes, length);
  NEED(fd >= 0);
  return fd;
}

static inline pid_t spawn_line(int brain, const char *name, const char *line, uint32_t stdio,
                               const int *streams) {
  bool terminal = stdio == BODY_STDIO_TERMINAL;
  const struct body_spawn spawn = {
      .slots = terminal, .stdio = stdio, .console = terminal ? 0 : -1, .umask = 022};
  int plan = sealed(line, strlen(line)), fds[5] = {plan, plan}, got[2];
  if (streams)
    memcpy(fds + 2, streams, 3 * sizeof *streams);
  say(brain, BODY_SPAWN, &spawn, sizeof spawn, name, strlen(name) + 1, fds, streams ? 5 : 2);
  struct heard heard = hear(brain, got);
  NEED(heard.head.result == 0);
  close(got[0]);
  close(got[1]);
  close(plan);
  return heard.fields.spawned.pid;
}

static inline void watch(int brain, const char *name, pid_t pid) {
  char texts[300];
  const struct body_watch watch = {.pid = pid, .driver = BODY_LOG_NONE, .max_files = 1};
  int got[2], length = snprintf(texts, sizeof texts, "%s%c%c", name, 0, 0);
  say(brain, BODY_WATCH, &watch, sizeof watch, texts, (size_t)length + 1, &directory, 1);
  CHECK_NUMBER(hear(brain, got).head.result, 0);
}

static inline int ask(int brain, uint32_t operation, uint32_t number, const char *name,
                      const int *fds, size_t count) {
  int got[2];
  say(brain, operation, &number, operation == BODY_CLOSE_STDIN ? 0 : sizeof number, name,
      strlen(name) + 1, fds, count);
  return hear(brain, got).head.result;
}

/* A pipe whose ends are ours; `ends`: of the program, of whoever reads. */
static inline void make_pipe(int ends[2]) {
  NEED(pipe2(ends, O_CLOEXEC) == 0);
}

static inline int make_pod(void) {
  NEED(mkdtemp(folder) && reap_start() == 0);
  directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  NEED(directory >= 0);
  signal(SIGPIPE, SIG_IGN);
  the_monitor.files[0] = the_monitor.files[1] = 1024;
  return 0;
}

#endif

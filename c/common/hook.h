/* Running a hook: shared by init and by the helper library. */
#ifndef RUNTS_HOOK_H
#define RUNTS_HOOK_H

#include <stddef.h>
#include <stdint.h>

#define HOOK_STDERR_MAX 4096

/* setrlimit(2): soft, then hard. */
struct hook_limit {
  uint32_t resource;
  uint64_t value[2];
};

struct hook {
  const char *path;
  const char *const *args; /* argv, ends in NULL; if there is none, argv is the path */
  const char *const *env;  /* exactly the environment; ends in NULL */
  const char *directory;   /* working directory, / if it cannot be entered; NULL: the caller's */
  const char *input;       /* what the hook reads from its standard input */
  size_t input_length;
  uint32_t timeout; /* s; 0 for none */
  uint32_t limit_count;
  const struct hook_limit *limits; /* those of its process that are not the caller's */
  int output; /* its standard output, 3 or more; 0: where its standard error goes */
  int errors; /* its standard error, likewise; 0: passed on to the caller's */
};

struct hook_result {
  int32_t error;     /* errno value if it could not be executed or waited for, else 0 */
  int32_t status;    /* exit status, or -1 if a signal ended it */
  int32_t signal;    /* that signal, or 0 */
  int32_t timed_out; /* 1: ended by us, for its time was up */
  uint64_t duration_ns;
  uint32_t stderr_length;
  uint32_t reserved;
  char stderr_tail[HOOK_STDERR_MAX]; /* the last of what was passed on */
};

/*
 * Runs the hook in a process group of its own and waits for its end, not for that of processes
 * that it leaves behind. Its standard input is a file that holds `input`. What it writes to a
 * standard error of its own is not in the result. It inherits no other descriptor, and signals at
 * their defaults. When its time is up the whole group is killed.
 * Only the calling thread is held up; no signal reaches it through a closed standard error.
 * 0 if the result is filled in, however the hook ended; -errno if there was no way to try.
 */
int hook_run(const struct hook *hook, struct hook_result *result);

#endif

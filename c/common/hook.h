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

/* A hook that runs. */
struct hook_process {
  int32_t pid;
  int32_t pidfd;  /* -1: it could not be executed, or has been reaped */
  int32_t output; /* what is to be passed on can be read here */
  uint32_t timeout;
  uint64_t start_ns;
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

/*
 * The same in steps, for those who have other things to wait for. After hook_begin has given 0, and
 * once its pidfd is readable (or if it is -1), hook_end must follow; `deadline` is by the monotonic
 * clock in ns, 0 for none: so long it waits for room on our standard error.
 */
int hook_begin(const struct hook *hook, struct hook_process *process, struct hook_result *result);
/* Some of what is there: 1; 0 when nothing was; -EAGAIN when our standard error has no room. */
int hook_pass_on(struct hook_process *process, struct hook_result *result);
/* Its time is up. After -errno it is not waited for. */
int hook_kill(struct hook_process *process, struct hook_result *result);
/* 0, or -errno where it could not be waited for. */
int hook_end(struct hook_process *process, uint64_t deadline, struct hook_result *result);

#endif

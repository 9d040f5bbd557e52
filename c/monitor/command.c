/* The command that is run on the end of init, and when a wake is due. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../common/signals.h"
#include "monitor.h"

#define NS_PER_MS 1000000u
#define COMMAND_MAX (4u << 20)
#define COMMAND_UMASK 022
#define NOT_EXECUTED 127
/* Each pause is twice the last one; all of them are some seven minutes. */
#define FIRST_PAUSE_MS 100u
#define FAILURES_MAX 12
/* Behind the standard streams. */
#define FIRST_GIVEN 3

static int file = -1;
static pid_t running;
static bool once_more;
static uint64_t wake;
/* When a command that did not get to its end is run again, and how many have not, in a row. */
static uint64_t again;
static unsigned failures;

static uint64_t time_in(uint64_t ms) {
  uint64_t longest = (UINT64_MAX - now_ns()) / NS_PER_MS;
  return now_ns() + (ms < longest ? ms : longest) * NS_PER_MS;
}

/* What it was run for may have been left undone. */
static void note_result(bool failed) {
  again = failed && failures < FAILURES_MAX ? time_in(FIRST_PAUSE_MS << failures) : 0;
  failures = failed ? failures + 1 : 0;
}

/* The file's bytes, and room for pointers to its texts behind them. */
struct loaded {
  uint8_t *bytes;
  size_t length;
  size_t mapped;
  struct body_command command;
  const char *texts;
};

static void unload(struct loaded *l) {
  unmap_memory(l->bytes, l->mapped);
}

static size_t pointers_at(size_t length) {
  return (length + sizeof(char *)) & ~(sizeof(char *) - 1);
}

static int load(int fd, struct loaded *l) {
  struct stat st;
  *l = (struct loaded){0};
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)COMMAND_MAX)
    return -EINVAL;
  l->length = (size_t)st.st_size;
  /* A text has a byte at least, so that there are no more pointers than bytes; and two NULLs. */
  l->mapped = pointers_at(l->length) + (l->length + 2) * sizeof(char *);
  l->bytes = map_memory(l->mapped);
  if (!l->bytes)
    return -ENOMEM;
  long length = RETRY(pread(fd, l->bytes, l->length, 0));
  int error = length == (long)l->length
                  ? command_decode(l->bytes, l->length, &l->command, &l->texts)
                  : -EINVAL;
  if (error != 0)
    unload(l);
  return error;
}

int program_check(int fd) {
  struct loaded l;
  int error = load(fd, &l);
  if (error == 0)
    unload(&l);
  return error;
}

int command_set(int32_t *fd) {
  int error = *fd >= 0 ? program_check(*fd) : 0;
  if (error != 0)
    return error;
  if (file >= 0)
    close(file);
  file = *fd;
  *fd = -1;
  note_result(false);
  return 0;
}

/* Texts one after the other, as a list that ends in NULL; gives what is behind them. */
static const char *list(const char *text, uint32_t count, const char **to) {
  for (uint32_t i = 0; i < count; i++) {
    to[i] = text;
    text += strlen(text) + 1;
  }
  to[count] = NULL;
  return text;
}

/* What the child begins with. It shares our memory, on a stack of its own. */
struct launch {
  const char *directory;
  const char **argv, **env;
  const int32_t *fds;
  uint32_t count;
  _Alignas(16) char stack[8192];
};

/* A child that executes never leaves its functions, and what the sanitizer notes of them would stay with us. */
#define LEAVES_NO_TRACE __attribute__((no_sanitize_address))

/* By way of copies, for one may stand in the place of another. */
LEAVES_NO_TRACE static bool place(const struct launch *l) {
  int copies[BODY_RUN_MAX];
  for (uint32_t i = 0; i < l->count; i++) {
    copies[i] = (int)RETRY(fcntl(l->fds[i], F_DUPFD_CLOEXEC, FIRST_GIVEN + BODY_RUN_MAX));
    if (copies[i] < 0)
      return false;
  }
  for (uint32_t i = 0; i < l->count; i++)
    if (RETRY(dup3(copies[i], FIRST_GIVEN + (int)i, 0)) < 0)
      return false;
  return true;
}

LEAVES_NO_TRACE static int child(void *data) {
  const struct launch *l = data;
  signals_reset();
  setsid();
  umask(COMMAND_UMASK);
  syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, the_monitor.files, NULL);
  if (place(l) && chdir(l->directory) == 0)
    execve(l->argv[0], (char *const *)(uintptr_t)(l->argv + 1), (char *const *)(uintptr_t)l->env);
  end_process(NOT_EXECUTED);
}

/* Our standard streams are /dev/null, and all else closes itself. */
static pid_t start(const struct loaded *l, const int32_t *fds, uint32_t count, bool apart) {
  const char **argv = (const char **)(uintptr_t)(l->bytes + pointers_at(l->length));
  const char **env = argv + l->command.arguments + 2;
  const char *arguments = l->texts + strlen(l->texts) + 1;
  struct launch launch = {l->texts, argv, env, fds, count, {0}};
  list(list(arguments, l->command.arguments + 1, argv), l->command.variables, env);
  int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (apart ? CLONE_PARENT : 0);
  uint64_t mask = signals_mask(SIGNALS_ALL);
  pid_t pid = clone(child, launch.stack + sizeof launch.stack, flags, &launch);
  int error = errno;
  signals_mask(mask);
  return pid < 0 ? -error : pid;
}

pid_t program_start(int fd, const int32_t *fds, uint32_t count, bool apart) {
  struct loaded l;
  int error = load(fd, &l);
  if (error != 0)
    return error;
  pid_t pid = start(&l, fds, count, apart);
  unload(&l);
  return pid;
}

void command_run(void) {
  once_more = running > 0;
  if (once_more || file < 0)
    return;
  again = 0;
  pid_t pid = program_start(file, NULL, 0, false);
  running = pid > 0 ? pid : 0;
  if (pid < 0)
    note_result(true);
}

bool command_ended(const struct body_ending *ending) {
  if (running <= 0 || ending->pid != running)
    return false;
  running = 0;
  note_result(ending->code != 0);
  if (once_more)
    command_run();
  return true;
}

void wake_in(uint64_t ms) {
  wake = ms > 0 ? time_in(ms) : 0;
}

uint64_t wake_due(void) {
  uint64_t now = now_ns();
  if ((wake == 0 || now < wake) && (again == 0 || now < again))
    return again == 0 || (wake > 0 && wake < again) ? wake : again;
  if (now >= wake)
    wake = 0;
  command_run();
  return 0;
}

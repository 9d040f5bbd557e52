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

static int file = -1;
static pid_t running;
static bool once_more;
static uint64_t wake;

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

int command_set(int32_t *fd) {
  struct loaded l;
  int error = *fd >= 0 ? load(*fd, &l) : 0;
  if (error != 0)
    return error;
  if (*fd >= 0)
    unload(&l);
  if (file >= 0)
    close(file);
  file = *fd;
  *fd = -1;
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

static _Noreturn void child(const char *directory, const char **argv, const char **env) {
  signals_reset();
  setsid();
  umask(COMMAND_UMASK);
  syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, the_monitor.files, NULL);
  if (chdir(directory) == 0)
    execve(argv[0], (char *const *)(uintptr_t)(argv + 1), (char *const *)(uintptr_t)env);
  end_process(NOT_EXECUTED);
}

/* Our standard streams are /dev/null, and all else closes itself. */
static pid_t start(const struct loaded *l) {
  const char **argv = (const char **)(uintptr_t)(l->bytes + pointers_at(l->length));
  const char **env = argv + l->command.arguments + 2;
  const char *arguments = l->texts + strlen(l->texts) + 1;
  list(list(arguments, l->command.arguments + 1, argv), l->command.variables, env);
  uint64_t mask = signals_mask(SIGNALS_ALL);
  pid_t pid = vfork();
  if (pid == 0)
    child(l->texts, argv, env);
  signals_mask(mask);
  return pid;
}

void command_run(void) {
  struct loaded l;
  once_more = running > 0;
  if (once_more || file < 0 || load(file, &l) != 0)
    return;
  pid_t pid = start(&l);
  running = pid > 0 ? pid : 0;
  unload(&l);
}

bool command_ended(pid_t pid) {
  if (running <= 0 || pid != running)
    return false;
  running = 0;
  if (once_more)
    command_run();
  return true;
}

void wake_in(uint64_t ms) {
  uint64_t longest = (UINT64_MAX - now_ns()) / NS_PER_MS;
  wake = ms > 0 ? now_ns() + (ms < longest ? ms : longest) * NS_PER_MS : 0;
}

uint64_t wake_due(void) {
  if (wake == 0 || now_ns() < wake)
    return wake;
  wake = 0;
  command_run();
  return 0;
}

/*
 * Starts Deno. It turns
 *
 *     argv[0] ARGS…     into     runts run FLAGS… SCRIPT DIRECTORY CACHE LIBRARY LIMITS BEGUN argv[0] ARGS…
 *
 * where SCRIPT and LIBRARY are sealed memfds that hold runts' main script and the helper library,
 * DIRECTORY is the working directory, to which the script returns, all as /proc/self/fd/N, CACHE the
 * place where V8's code cache is missing, else empty, LIMITS those of the caller that the front has
 * raised, and BEGUN what it has begun (struct begun). Deno starts in "/", because it refuses a directory
 * that was removed and looks for files of its own in any other. The kernel's stack image
 * is edited in place, before ld.so sees it: ARGS and the strings stay where they are, so any command
 * line that the kernel accepts fits. /proc/self/cmdline and environ keep showing what the caller
 * passed.
 */
#define _GNU_SOURCE
#include "cold.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>

#include "auxv.h"
#include "code_cache.h"
#include "files.h"
#include "interpreter.h"
#include "limits.h"
#include "link_data.h"
#include "say.h"
#include "syscall.h"
#include "text.h"

/* Where its descriptors go: above any descriptor that a caller passes on with --preserve-fds. */
#define OWN_FD_MIN 100
/* The script, the directory, the missing cache, the library, the limits, what is begun, argv[0]. */
#define HANDED 7
/* Three descriptors. */
#define BEGUN_ROOM 40

/* Moves a descriptor out of the way, if RLIMIT_NOFILE lets it. */
static long raise_fd(long fd) {
  long high = sys3(SYS_FCNTL, fd, F_DUPFD_CLOEXEC, OWN_FD_MIN);
  if (high < 0)
    return fd;
  sys1(SYS_CLOSE, fd);
  return high;
}

/* What Deno is about to read, out of the way. */
static long memory_file(const char *from, long length) {
  return raise_fd(check("make a file in memory", sealed_memfd(from, length)));
}

/* Leaves the working directory; an empty path where it cannot be opened, and then it stays. */
static void put_directory(char *to) {
  static const char here[] = ".", root[] = "/";
  long fd = sys4(SYS_OPENAT, AT_FDCWD, (long)here, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  *to = 0;
  if (fd < 0)
    return;
  put_fd_path(to, raise_fd(fd));
  check("chdir", sys1(SYS_CHDIR, (long)root));
}

/* Deno reads what the front has made by way of /proc. */
static void check_procfs(const char *file) {
  char link[FD_PATH_ROOM];
  long result = sys4(SYS_READLINKAT, AT_FDCWD, (long)file, (long)link, sizeof link);
  if (result < 0)
    die("look up /proc/self/fd", result, ": is procfs mounted on /proc?", 1);
}

/* By SIGUSR1 Deno opens its debugger, to every user of the host. All its threads inherit the mask. */
static void keep_debugger_closed(void) {
  uint64_t set = UINT64_C(1) << (SIGUSR1 - 1);
  sys4(SYS_RT_SIGPROCMASK, SIG_BLOCK, (long)&set, 0, sizeof set);
}

/* Strings for Deno's stack, in pages of their own: the stack below is Deno's. */
struct strings {
  char script[FD_PATH_ROOM];
  char library[FD_PATH_ROOM];
  char directory[FD_PATH_ROOM];
  char deno_dir[PATH_ROOM + FD_PATH_ROOM];
  char limits[LIMITS_ROOM];
  char begun[BEGUN_ROOM];
  struct code_cache cache;
};

/* First of all: what follows needs descriptors, and writes files. */
static void check_limits(char *limits) {
  long result = raise_limits(limits);
  if (result < 0)
    die(limits, result, ": the hard limit of the caller is too low", 1);
  result = try_process();
  if (result < 0)
    die("make a process", result, ": RLIMIT_NPROC of the caller is too low", 1);
}

/* Where there is no cache, a place where no file can be made: Deno does without. */
static void put_deno_dir(struct strings *strings) {
  const char *used = strings->cache.used;
  put_string(put_string(strings->deno_dir, "DENO_DIR="), *used ? used : "/dev/null/deno");
}

static void put_begun(char *to, const struct begun *begun) {
  *to = 0;
  if (begun->lock < 0)
    return;
  to = put_string(put_decimal(to, (uint64_t)raise_fd(begun->lock)), " ");
  to = put_string(put_decimal(to, (uint64_t)raise_fd(begun->result)), " ");
  put_decimal(to, (uint64_t)raise_fd(begun->pidfd));
}

static int is_dropped(const char *variable) {
  const char *prefix = linked(front_link_data.drop);
  for (; *prefix; prefix += length(prefix) + 1)
    if (after(variable, prefix))
      return 1;
  return 0;
}

/* `serve` and `shim serve` stay, and are worth compiling for. */
static int is_resident(char **args) {
  while (*args && *++args && **args == '-')
    ;
  if (*args && args[1] && is_same(*args, "shim"))
    args++;
  return *args && is_same(*args, "serve");
}

/* V8 takes no code that was made with other flags. */
static const char *cache_of(int resident) {
  return linked(resident ? front_link_data.resident_cache_name : front_link_data.cache_name);
}

static const char *words_of(int resident, int cached) {
  if (resident)
    return linked(cached ? front_link_data.resident_cached_argv : front_link_data.resident_argv);
  return linked(cached ? front_link_data.cached_argv : front_link_data.argv);
}

static long count(const char *words) {
  long n = 0;
  for (; *words; words += length(words) + 1)
    n++;
  return n;
}

/* Writes pointers to `words` so that they end below `end`; returns the lowest slot. */
static char **push_words(char **end, const char *words) {
  char **first = end - count(words), **slot = first;
  for (; *words; words += length(words) + 1)
    *slot++ = (char *)words;
  return first;
}

/* Moves n pointers, up or down. */
static char **move(char **to, char **from, long n) {
  if (to < from)
    for (long i = 0; i < n; i++)
      to[i] = from[i];
  else
    for (long i = n; i-- > 0;)
      to[i] = from[i];
  return to;
}

/* Compacts the variables that stay towards the end of the list; returns the first one. */
static char **keep_wanted(char **env) {
  char **from = env, **to;
  while (*from)
    from++;
  to = from;
  while (from-- > env)
    if (!is_dropped(*from))
      *--to = *from;
  return to;
}

/*
 * Rewrites the stack image of execve(2): argc, argv, 0, envp, 0, auxv. The new stack pointer is a few
 * dozen slots from the old one.
 */
struct start start_deno(char **sp, const struct begun *begun) {
  long argc = (long)sp[0];
  long user = argc > 0 ? argc - 1 : 0; /* argc may be 0: Linux before 5.18 allowed it */
  char **args = sp + 1, **given = args + argc + 1;
  struct start start = {.entry = load_interpreter(auxv_of(given))};
  struct strings *strings = new_pages(sizeof *strings);
  int resident = is_resident(args);
  put_begun(strings->begun, begun);
  check_limits(strings->limits);
  keep_debugger_closed();
  open_streams();
  find_code_cache(&strings->cache, args, given, cache_of(resident));
  put_deno_dir(strings);

  const char *words = words_of(resident, strings->cache.used[0]);
  const char *padding = linked(front_link_data.env), *extra = padding + length(padding) + 1;
  char *name = argc > 0 ? args[0] : (char *)words;
  long own = count(words) + HANDED;
  char **kept = keep_wanted(given), **env = kept - count(extra) - 1, **low;

  /* The stack pointer stays aligned to 16 bytes, as aarch64 insists. */
  int pad = ((uintptr_t)(env - 1 - user - own - 1) & 15) != 0;
  env -= pad;
  /* The arguments first: the new variables may land on them. */
  low = move(env - 1 - user, args + (argc - user), user);
  env[-1] = NULL;
  push_words(kept, extra);
  env[pad] = strings->deno_dir;
  if (pad)
    *env = (char *)padding;

  put_fd_path(strings->script,
              memory_file(linked(front_link_data.script), front_link_data.script_len));
  check_procfs(strings->script);
  put_directory(strings->directory);
  put_fd_path(strings->library,
              memory_file(linked(front_link_data.library), front_link_data.library_len));
  *--low = name;
  *--low = strings->begun;
  *--low = strings->limits;
  *--low = strings->library;
  *--low = strings->cache.missing;
  *--low = strings->directory;
  *--low = strings->script;
  low = push_words(low, words);
  *--low = (char *)(own + user);
  start.sp = low;
  return start;
}

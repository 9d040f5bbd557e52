/*
 * Runs between ld.so and the entry point of the `deno` executable that dist/runts is a copy of.
 * It turns
 *
 *     argv[0] ARGS…     into     deno run FLAGS… /proc/self/fd/N /proc/self/fd/M ARGS…
 *
 * where N is a sealed memfd that holds runts' main script, and M the working directory, to which
 * the script returns: Deno starts in "/", because it refuses a directory that was removed and
 * looks for files of its own in any other. The kernel's stack image is edited in place: ARGS, the strings and the auxiliary vector stay where they are, so any command line that
 * the kernel accepts fits. /proc/self/cmdline and environ keep showing what the caller passed.
 */
#include "stub.h"

#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <stddef.h>

#include "syscall.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
/* Where the stub's descriptors go: above any descriptor that a caller passes on with --preserve-fds. */
#define OWN_FD_MIN 100
/* "/proc/self/fd/" and ten digits */
#define PATH_ROOM 32

extern const struct link_data stub_link_data __attribute__((visibility("hidden")));

static const char *linked(int64_t distance) {
  return (const char *)&stub_link_data + distance;
}

static size_t length(const char *s) {
  size_t n = 0;
  while (s[n])
    n++;
  return n;
}

static int starts_with(const char *s, const char *prefix) {
  while (*prefix)
    if (*s++ != *prefix++)
      return 0;
  return 1;
}

static char *put_decimal(char *to, unsigned value) {
  char digits[12];
  int n = 0;
  do
    digits[n++] = (char)('0' + value % 10);
  while (value /= 10);
  while (n)
    *to++ = digits[--n];
  *to = 0;
  return to;
}

static char *put_string(char *to, const char *s) {
  while (*s)
    *to++ = *s++;
  *to = 0;
  return to;
}

static void die(const char *what, long negative_errno) {
  char line[128];
  char *end = put_string(line, "runts: cannot start: ");
  end = put_string(end, what);
  end = put_string(end, ": errno ");
  end = put_decimal(end, (unsigned)-negative_errno);
  *end++ = '\n';
  sys3(SYS_WRITE, 2, (long)line, end - line);
  for (;;)
    sys1(SYS_EXIT_GROUP, 1);
}

static long check(const char *what, long result) {
  if (result < 0)
    die(what, result);
  return result;
}

/* Moves a descriptor out of the way, if RLIMIT_NOFILE lets it. */
static long raise_fd(long fd) {
  long high = sys3(SYS_FCNTL, fd, F_DUPFD_CLOEXEC, OWN_FD_MIN);
  if (high < 0)
    return fd;
  sys1(SYS_CLOSE, fd);
  return high;
}

/* A memfd with the script, sealed so that nothing can change what Deno is about to read. */
static long script_memfd(void) {
  static const char name[] = "runts";
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const char *from = linked(stub_link_data.script);
  long left = stub_link_data.script_len;
  long fd = sys2(SYS_MEMFD_CREATE, (long)name, flags | MFD_NOEXEC_SEAL);
  if (fd < 0) /* before Linux 6.3 */
    fd = sys2(SYS_MEMFD_CREATE, (long)name, flags);
  check("memfd_create", fd);
  while (left > 0) {
    long n = check("write to memfd", sys3(SYS_WRITE, fd, (long)from, left));
    from += n;
    left -= n;
  }
  check("seal memfd", sys3(SYS_FCNTL, fd, F_ADD_SEALS,
                           F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  return raise_fd(fd);
}

static char *put_fd_path(char *to, long fd) {
  return put_decimal(put_string(to, "/proc/self/fd/"), (unsigned)fd);
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

/* Room for the two paths, in a page of its own: the stack below is Deno's. */
static char *new_page(void) {
  long page = sys6(SYS_MMAP, 0, 2 * PATH_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0);
  check("mmap", page < 0 && page > -4096 ? page : 0);
  return (char *)page;
}

static int is_dropped(const char *variable) {
  const char *prefix = linked(stub_link_data.drop);
  for (; *prefix; prefix += length(prefix) + 1)
    if (starts_with(variable, prefix))
      return 1;
  return 0;
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
 * Rewrites the stack image of execve(2): argc, argv, 0, envp, 0, auxv. Returns the new stack
 * pointer, a few dozen slots from the old one; the caller keeps that much room free below it.
 */
__attribute__((used, visibility("hidden"))) char **stub_prepare(char **sp) {
  const char *words = linked(stub_link_data.argv);
  const char *padding = linked(stub_link_data.env), *extra = padding + length(padding) + 1;
  long argc = (long)sp[0];
  long user = argc > 0 ? argc - 1 : 0; /* argc may be 0: Linux before 5.18 allowed it */
  long own = count(words) + 2;         /* and the two paths */
  char **args = sp + 1, **kept = keep_wanted(args + argc + 1);
  char **env = kept - count(extra), **low, *paths = new_page();

  /* The stack pointer stays aligned to 16 bytes, as aarch64 insists. */
  int pad = ((uintptr_t)(env - 1 - user - own - 1) & 15) != 0;
  env -= pad;
  /* The arguments first: the new variables may land on them. */
  low = move(env - 1 - user, args + (argc - user), user);
  env[-1] = NULL;
  push_words(kept, extra);
  if (pad)
    *env = (char *)padding;
  **(char ****)linked(stub_link_data.environ_slot) = env;

  put_fd_path(paths, script_memfd());
  put_directory(paths + PATH_ROOM);
  *--low = paths + PATH_ROOM;
  *--low = paths;
  low = push_words(low, words);
  *--low = (char *)(own + user);
  return low;
}

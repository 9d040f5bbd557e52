/*
 * V8 runs what the cache holds without looking at it, so a cache counts only where nobody but the
 * caller and root can have written it, or can put another directory in its place.
 */
#define _GNU_SOURCE
#include "code_cache.h"

#include <errno.h>
#include <fcntl.h>

#include "files.h"
#include "syscall.h"
#include "text.h"

#define WRITABLE_BY_OTHERS 022
#define FOR_OTHERS 077

/*
 * The value of --root, wherever it stands but behind the verbs that hand words on to a program:
 * those may name a directory that a container has filled.
 */
static const char *root_option(char **args) {
  for (; *args; args++) {
    const char *word = *args;
    if (is_same(word, "exec") || is_same(word, "ps") || is_same(word, "--"))
      return NULL;
    const char *rest = after(word, "--root");
    if (!rest)
      rest = after(word, "-root");
    if (rest && *rest == '=')
      return rest + 1;
    if (rest && !*rest)
      return args[1];
  }
  return NULL;
}

/* Writes the path of the state root; 0 when there is none. */
static int put_root(char *to, char **args, char **env) {
  const char *given = root_option(args);
  if (!given)
    return put_default_root(to, env);
  if (length(given) > PATH_ROOM / 2)
    return 0;
  put_string(to, given);
  return 1;
}

/* Replaces a directory's path by the one without links; 0 when there is no such directory. */
static int resolve(char *path) {
  char link[FD_PATH_ROOM];
  long fd = sys4(SYS_OPENAT, AT_FDCWD, (long)path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0), n;
  if (fd < 0)
    return 0;
  put_fd_path(link, fd);
  n = sys4(SYS_READLINKAT, AT_FDCWD, (long)link, (long)path, PATH_ROOM / 2);
  sys1(SYS_CLOSE, fd);
  if (n <= 0 || n >= PATH_ROOM / 2 || *path != '/')
    return 0;
  path[n] = 0;
  return 1;
}

static int is_safe(const char *path, unsigned caller) {
  struct statx st;
  if (look_at(AT_FDCWD, path, &st) < 0 || type_of(&st) != S_IFDIR)
    return 0;
  if (st.stx_uid != 0 && st.stx_uid != caller)
    return 0;
  return !(st.stx_mode & WRITABLE_BY_OTHERS) || (st.stx_mode & S_ISVTX);
}

/* Whether the directory and all above it belong to the caller or to root. */
static int is_trusted(char *path, unsigned caller) {
  if (!is_safe("/", caller))
    return 0;
  for (char *at = path + 1; *at; at++) {
    if (*at != '/')
      continue;
    *at = 0;
    int safe = is_safe(path, caller);
    *at = '/';
    if (!safe)
      return 0;
  }
  return 1;
}

/* Whether nobody else can use the directory. */
static int is_private(const struct statx *st, unsigned caller, unsigned others) {
  return type_of(st) == S_IFDIR && st->stx_uid == caller && !(st->stx_mode & others);
}

/* Looks up the path's parent; that a link or somebody else's directory stands there is an error. */
static long look_up_parent(char *path, struct statx *st, unsigned caller) {
  char *slash = path + length(path);
  while (*--slash != '/')
    ;
  *slash = 0;
  long result = look_at(AT_FDCWD, path, st);
  *slash = '/';
  return result == 0 && !is_private(st, caller, WRITABLE_BY_OTHERS) ? -EPERM : result;
}

void find_code_cache(struct code_cache *cache, char **args, char **env, const char *name) {
  unsigned caller = (unsigned)sys1(SYS_GETEUID, 0);
  char *path = cache->used;
  struct statx st;
  long result;

  cache->missing[0] = 0;
  if (!*name || !put_root(path, args, env) || !resolve(path) || !is_trusted(path, caller) ||
      look_at(AT_FDCWD, path, &st) < 0 || !is_private(&st, caller, WRITABLE_BY_OTHERS)) {
    path[0] = 0;
    return;
  }
  put_string(put_string(path + length(path), "/"), name);
  result = look_up_parent(path, &st, caller);
  if (result == 0)
    result = look_at(AT_FDCWD, path, &st);
  if (result == 0 && is_private(&st, caller, FOR_OTHERS))
    return;
  /* Deno makes a directory that goes away while it starts, but for everybody. */
  if (result == -ENOENT || (result == 0 && is_private(&st, caller, WRITABLE_BY_OTHERS)))
    put_string(cache->missing, path);
  path[0] = 0;
}

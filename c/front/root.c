#define _GNU_SOURCE
#include "root.h"

#include <fcntl.h>

#include "files.h"
#include "syscall.h"
#include "text.h"

#define MAP_ROOM 256
#define ALL_IDS 4294967295

const char *variable(char **env, const char *name) {
  for (; *env; env++) {
    const char *value = after(*env, name);
    if (value)
      return *value ? value : NULL;
  }
  return NULL;
}

static int64_t take_column(const char **at) {
  while (**at == ' ')
    ++*at;
  return take_decimal(at);
}

/* Whether every id is mapped to itself (user_namespaces(7)); -1 where that cannot be read. */
static int is_first_user_namespace(void) {
  char map[MAP_ROOM];
  const char *at = map;
  if (read_small(AT_FDCWD, "/proc/self/uid_map", map, sizeof map) < 0)
    return -1;
  int64_t inside = take_column(&at), outside = take_column(&at), size = take_column(&at);
  return inside == 0 && outside == 0 && size == ALL_IDS && is_same(at, "\n");
}

int put_default_root(char *to, char **env) {
  long uid = sys1(SYS_GETUID, 0);
  int is_first = uid == 0 ? is_first_user_namespace() : 0;
  const char *runtime = variable(env, "XDG_RUNTIME_DIR=");
  if (is_first < 0 || (runtime && length(runtime) > PATH_ROOM / 2))
    return 0;
  if (is_first)
    to = put_string(to, "/run");
  else if (runtime)
    to = put_string(to, runtime);
  else
    to = put_decimal(put_string(to, "/run/user/"), (uint64_t)uid);
  put_string(to, "/runts");
  return 1;
}

/* From the command line to the verb. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "files.h"
#include "link_data.h"
#include "root.h"
#include "stop.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"

/* Writes the state root without slashes at its end; 0 where it is not known. */
static int put_root(char *to, const struct call *call, char **env) {
  if (call->root) {
    if (length(call->root) > PATH_ROOM / 2)
      return 0;
    put_string(to, call->root);
  } else if (!put_default_root(to, env)) {
    return 0;
  }
  if (!is_plain_path(to))
    return 0;
  for (char *end = to + length(to); end > to + 1 && end[-1] == '/';)
    *--end = 0;
  return 1;
}

int open_log(const char *path) {
  struct statx st;
  if (!path || is_same(path, "/dev/stderr"))
    return 1;
  long result = sys6(SYS_STATX, AT_FDCWD, (long)path, 0, STATX_BASIC_STATS, (long)&st, 0);
  if (result < 0 ? result != -ENOENT : type_of(&st) != S_IFREG)
    return 0;
  int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC;
  long fd = sys4(SYS_OPENAT, AT_FDCWD, (long)path, flags, 0644);
  if (fd < 0)
    return 0;
  sys1(SYS_CLOSE, fd);
  return 1;
}

long open_directory(long at, const char *path) {
  struct statx st;
  long fd = sys4(SYS_OPENAT, at, (long)path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (fd < 0)
    return fd;
  if (look_at(fd, "", &st) == 0 && (st.stx_uid == 0 || st.stx_uid == (unsigned)sys1(SYS_GETUID, 0)))
    return fd;
  sys1(SYS_CLOSE, fd);
  return -EPERM;
}

static int is_same_file(long fd, long directory, const char *path) {
  struct statx held, there;
  return look_at(fd, "", &held) == 0 && look_at(directory, path, &there) == 0 &&
         held.stx_ino == there.stx_ino && held.stx_dev_major == there.stx_dev_major &&
         held.stx_dev_minor == there.stx_dev_minor;
}

/* The container's lock, if nobody else is at work on it. */
static long take_lock(long directory, const char *path) {
  long lock = sys4(SYS_OPENAT, directory, (long)"lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
  if (lock < 0)
    return lock;
  if (sys2(SYS_FLOCK, lock, LOCK_EX | LOCK_NB) == 0 && is_same_file(lock, directory, "lock") &&
      is_same_file(directory, AT_FDCWD, path))
    return lock;
  sys1(SYS_CLOSE, lock);
  return -EAGAIN;
}

static int perform_on(struct target *target, long lock, struct begun *begun) {
  const struct call *call = target->call;
  struct reading reading = {.front = linked(front_link_data.front_id)};
  target->container.record = read_record(&reading, target->container.directory);
  if (!target->container.record || !open_log(call->log))
    return COLD;
  switch (call->verb) {
  case VERB_STATE:
    return print_state(target);
  case VERB_KILL:
    return kill_container(target);
  case VERB_START:
    return start_container(target, lock, begun);
  default:
    return delete_container(target);
  }
}

static int perform_locked(struct target *target, struct begun *begun) {
  long directory = target->container.directory, lock = -1;
  int code;
  if (target->call->verb == VERB_START || target->call->verb == VERB_DELETE) {
    lock = take_lock(directory, target->path);
    if (lock < 0)
      return COLD;
    STOP("@front-locked");
  }
  code = perform_on(target, lock, begun);
  if (lock >= 0 && begun->lock != lock)
    sys1(SYS_CLOSE, lock);
  return code;
}

int perform(char **words, char **env, struct begun *begun) {
  struct call call;
  char root[PATH_ROOM], path[PATH_ROOM];
  int code;
  if (!read_words(&call, words) || variable(env, "RUNTS_TEST_COLD=") || !put_root(root, &call, env))
    return COLD;
  if (call.verb == VERB_LIST)
    return list_containers(&call, root);
  /* Whoever waits for the program to be ready is told by Deno. */
  if (call.verb == VERB_START && variable(env, "NOTIFY_SOCKET="))
    return COLD;
  put_string(put_string(put_string(path, root), "/"), call.id);
  struct target target = {.root = root, .path = path, .call = &call};
  target.container.directory = open_directory(AT_FDCWD, path);
  if (target.container.directory == -ENOENT && call.force)
    return open_log(call.log) ? delete_unknown(root) : COLD;
  if (target.container.directory < 0)
    return COLD;
  code = perform_locked(&target, begun);
  sys1(SYS_CLOSE, target.container.directory);
  return code;
}

/* `delete`: undoes what create made, and nothing else. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "cgroups.h"
#include "directory.h"
#include "files.h"
#include "root.h"
#include "stop.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"

#define KILL_TIMEOUT 200 /* ms: then Deno has a closer look */
#define P_PIDFD 3
#define WEXITED 4
#define WNOHANG 1

static int is_no_directory(long directory, const struct entry *entry, void *data) {
  (void)directory, (void)data;
  return entry->type != IS_DIRECTORY && entry->type != IS_UNKNOWN;
}

static int is_not_removed(long directory, const struct entry *entry, void *data) {
  (void)directory, (void)data;
  return !after(entry->name, REMOVED);
}

static int remove_entry(long directory, const struct entry *entry, void *data) {
  (void)data;
  sys3(SYS_UNLINKAT, directory, (long)entry->name, 0);
  return 1;
}

/* What is left of removals that were killed goes with it, by Deno. */
int delete_unknown(const char *root) {
  struct statx st;
  if (look_at(AT_FDCWD, root, &st) == -ENOENT)
    return DONE;
  return visit_all(AT_FDCWD, root, is_not_removed, NULL) ? DONE : COLD;
}

/* Kills init, and with it all of its pid namespace, and waits until it is gone. */
static int end_init(const struct prepared *record) {
  long pidfd = open_init(record);
  if (pidfd < 0)
    return pidfd == -ESRCH;
  long sent = sys4(SYS_PIDFD_SEND_SIGNAL, pidfd, SIGKILL, 0, 0);
  int ended = (sent == 0 || sent == -ESRCH) && has_ended(pidfd, KILL_TIMEOUT);
  if (ended) /* if it is a child of ours */
    sys6(SYS_WAITID, P_PIDFD, pidfd, 0, WEXITED | WNOHANG, 0, 0);
  sys1(SYS_CLOSE, pidfd);
  return ended;
}

/* It loses its name first: who waits for the lock must not come upon a half of it. */
static int remove_directory(const struct target *target) {
  char removed[PATH_ROOM];
  struct statx st;
  char *end = put_string(put_string(put_string(removed, target->root), "/"), REMOVED);
  if (look_at(target->container.directory, "", &st) < 0)
    return 0;
  put_decimal(end, st.stx_ino);
  if (sys4(SYS_RENAMEAT, AT_FDCWD, (long)target->path, AT_FDCWD, (long)removed) < 0)
    return 0;
  STOP("@front-renamed");
  visit_all(AT_FDCWD, removed, remove_entry, NULL);
  sys3(SYS_UNLINKAT, AT_FDCWD, (long)removed, AT_REMOVEDIR);
  return 1;
}

/* Whether the container is in a state that it may be deleted in, and the front knows how. */
static int may_delete(const struct target *target, enum state state) {
  const struct prepared *record = target->container.record;
  if (state == STATE_UNKNOWN || record->flags & PREPARED_NO_DELETE)
    return 0;
  if (state == STATE_RUNNING && !target->call->force)
    return 0;
  if (!visit_all(target->container.directory, ".", is_no_directory, NULL))
    return 0;
  if (state == STATE_STOPPED)
    return are_gone(record) || (are_own(record) && are_empty(record));
  return are_own(record) && (record->flags & PREPARED_OWN_PIDS);
}

int delete_container(const struct target *target) {
  const struct prepared *record = target->container.record;
  enum state state = state_of(&target->container);
  if (!may_delete(target, state))
    return COLD;
  STOP("@front-delete");
  if (state != STATE_STOPPED && !end_init(record))
    return COLD;
  STOP("@front-ended");
  if (!remove_cgroups(record))
    return COLD;
  STOP("@front-cgroups");
  return remove_directory(target) ? DONE : COLD;
}

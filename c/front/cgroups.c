#define _GNU_SOURCE
#include "cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "files.h"
#include "root.h"
#include "syscall.h"
#include "text.h"
#include "wait.h"

#define LIST_ROOM 4096
#define SELF_ROOM 8192
#define MEMBERS_MAX 64
#define ROUNDS 3
#define NO_CHILDREN 2 /* links of a directory without directories */
/* A cgroup stays busy for a moment after its last process has ended: together 31 ms. */
#define TRIES 6
/* How long systemd may take to remove a scope before it is told to. */
#define SYSTEMD_MS 50

struct members {
  int count;
  int pids[MEMBERS_MAX];
};

static int holds(const struct members *members, int pid) {
  for (int i = 0; i < members->count; i++)
    if (members->pids[i] == pid)
      return 1;
  return 0;
}

/* Puts NAME behind a directory; 0 where that is too long. */
static int put_file(char *to, const char *directory, const char *name) {
  if (length(directory) + length(name) + 2 > PATH_ROOM)
    return 0;
  put_string(put_string(put_string(to, directory), "/"), name);
  return 1;
}

/* The first cgroup and, where there is another hierarchy that knows members, the second. */
static uint32_t lists(const struct prepared *record) {
  return record->cgroup_count < 2 ? record->cgroup_count : 2;
}

/* Reads cgroup.procs; 0 where it cannot be read or has too many. */
static int read_members(const char *directory, struct members *members) {
  char path[PATH_ROOM], text[LIST_ROOM];
  const char *at = text;
  members->count = 0;
  if (!put_file(path, directory, "cgroup.procs") ||
      read_small(AT_FDCWD, path, text, sizeof text) < 0)
    return 0;
  while (*at) {
    int64_t pid = take_decimal(&at);
    if (pid < 0 || *at++ != '\n' || members->count == MEMBERS_MAX)
      return 0;
    /* Who is outside of the pid namespace is shown as 0. */
    members->pids[members->count++] = (int)pid;
  }
  return 1;
}

int are_gone(const struct prepared *record) {
  struct statx st;
  for (uint32_t i = 0; i < record->cgroup_count; i++)
    if (look_at(AT_FDCWD, text_of(record, cgroups_of(record)[i].path), &st) != -ENOENT)
      return 0;
  return (record->flags & PREPARED_SYSTEMD) != 0;
}

/* Whether a process may be in one of them, by the last part of their paths. */
static int may_hold_caller(const struct prepared *record) {
  char text[SELF_ROOM];
  const char *name = text_of(record, record->cgroup_name), *rest;
  if (read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof text) < 0)
    return 1;
  for (const char *at = text; *at; at++)
    if ((rest = after(at, name)) && (*rest == '\n' || *rest == '/'))
      return 1;
  return 0;
}

int are_own(const struct prepared *record) {
  const struct prepared_cgroup *cgroup = cgroups_of(record);
  struct statx st;
  for (uint32_t i = 0; i < record->cgroup_count; i++)
    if (look_at(AT_FDCWD, text_of(record, cgroup[i].path), &st) < 0 || type_of(&st) != S_IFDIR ||
        st.stx_ino != cgroup[i].inode || st.stx_nlink != NO_CHILDREN)
      return 0;
  return record->cgroup_count == 0 || !may_hold_caller(record);
}

int are_empty(const struct prepared *record) {
  struct members members;
  for (uint32_t i = 0; i < lists(record); i++)
    if (!read_members(text_of(record, cgroups_of(record)[i].path), &members) || members.count > 0)
      return 0;
  return 1;
}

/* Its number may have passed to another process since it was read: it must still be a member. */
static int kill_member(const char *directory, int pid) {
  struct members now;
  long pidfd = sys2(SYS_PIDFD_OPEN, pid, 0), result = 0;
  if (pidfd < 0)
    return pidfd == -ESRCH;
  if (!read_members(directory, &now))
    result = -EINVAL;
  else if (holds(&now, pid))
    result = sys4(SYS_PIDFD_SEND_SIGNAL, pidfd, SIGKILL, 0, 0);
  sys1(SYS_CLOSE, pidfd);
  return result == 0 || result == -ESRCH;
}

static int kill_in(const char *directory) {
  struct members found, killed = {0};
  for (int round = 0; round < ROUNDS; round++) {
    int fresh = 0;
    if (!read_members(directory, &found))
      return 0;
    for (int i = 0; i < found.count; i++) {
      int pid = found.pids[i];
      if (pid == 0 || holds(&killed, pid))
        continue;
      if (killed.count == MEMBERS_MAX || !kill_member(directory, pid))
        return 0;
      killed.pids[killed.count++] = pid;
      fresh = 1;
    }
    if (!fresh)
      return 1;
  }
  return 0;
}

/* cgroup.kill, since Linux 5.14. */
static int kill_at_once(const char *directory) {
  char path[PATH_ROOM];
  if (!put_file(path, directory, "cgroup.kill"))
    return 0;
  long fd = sys4(SYS_OPENAT, AT_FDCWD, (long)path, O_WRONLY | O_CLOEXEC, 0), n;
  if (fd < 0)
    return 0;
  n = sys3(SYS_WRITE, fd, (long)"1", 1);
  sys1(SYS_CLOSE, fd);
  return n == 1;
}

int kill_members(const struct prepared *record) {
  const struct prepared_cgroup *cgroup = cgroups_of(record);
  if (record->flags & PREPARED_V2)
    return record->cgroup_count > 0 && kill_at_once(text_of(record, cgroup->path));
  for (uint32_t i = lists(record); i-- > 0;)
    if (!kill_in(text_of(record, cgroup[i].path)))
      return 0;
  return 1;
}

static int remove_cgroup(const char *path) {
  for (int i = 0; i < TRIES; i++) {
    long result = sys3(SYS_UNLINKAT, AT_FDCWD, (long)path, AT_REMOVEDIR);
    if (result == 0 || result == -ENOENT)
      return 1;
    if (result != -EBUSY)
      return 0;
    pause_for(1L << i);
  }
  return 0;
}

static int await_systemd(const struct prepared *record) {
  for (int i = 0; i < SYSTEMD_MS; i++) {
    if (are_gone(record))
      return 1;
    pause_for(1);
  }
  return 0;
}

int remove_cgroups(const struct prepared *record) {
  if (record->flags & PREPARED_SYSTEMD)
    return await_systemd(record);
  for (uint32_t i = 0; i < record->cgroup_count; i++)
    if (!remove_cgroup(text_of(record, cgroups_of(record)[i].path)))
      return 0;
  return 1;
}

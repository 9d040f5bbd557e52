/* Programs in namespaces of their own. */
#define _GNU_SOURCE 1
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/raw.h"
#include "../common/signals.h"

struct program {
  const char *path;
  const char **args;
  const char **env;
  uint32_t flags;
  int view;
  const char *place;
  int go;
  int report;
  pid_t parent;
};

/* The child has one thread, and no C library that knows of it: system calls and nothing else. */
static _Noreturn void give_up(const struct program *p, long result, const char *call) {
  struct {
    int32_t error;
    char call[28];
  } said = {.error = (int32_t)-result};
  strncpy(said.call, call, sizeof said.call - 1);
  sys3(SYS_write, p->report, (long)&said, sizeof said);
  end_process(127);
}

static void must(const struct program *p, long result, const char *call) {
  if (result < 0)
    give_up(p, result, call);
}

static void become_root(const struct program *p) {
  const long result = sys2(SYS_setgroups, 0, 0);
  if (result != -EPERM) /* refused where nobody but its owner is mapped */
    must(p, result, "set groups");
  must(p, sys3(SYS_setresgid, 0, 0, 0), "set group");
  must(p, sys3(SYS_setresuid, 0, 0, 0), "set user");
}

static _Noreturn void run_child(const struct program *p) {
  char byte;
  if (sys3(SYS_read, p->go, (long)&byte, 1) != 1)
    end_process(127);
  if (p->flags & PROGRAM_USERS)
    become_root(p);
  if (p->flags & PROGRAM_MOUNTS) {
    must(p, sys1(SYS_unshare, CLONE_NEWNS), "unshare mounts");
    must(p, sys6(SYS_mount, 0, (long)"/", 0, MS_SLAVE | MS_REC, 0, 0), "change mounts");
  }
  if (p->flags & PROGRAM_VIEW)
    must(p,
         sys6(SYS_move_mount, p->view, (long)"", AT_FDCWD, (long)p->place, MOVE_MOUNT_F_EMPTY_PATH,
              0),
         "mount");
  must(p, sys2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL), "set signal");
  if (p->parent != 0 && sys1(SYS_getppid, 0) != p->parent)
    end_process(127);
  signals_reset();
  give_up(p, sys3(SYS_execve, (long)p->path, (long)p->args, (long)p->env), "execute");
}

static const char **take(const char **list, const char **words, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    list[i] = *words;
    *words += strlen(*words) + 1;
  }
  list[count] = NULL;
  return list;
}

static void close_both(const int fds[2]) {
  close(fds[0]);
  close(fds[1]);
}

/* Both ends of two pipes: what the child reads, and what it writes. */
static int make_pipes(int go[2], int report[2]) {
  if (pipe2(go, O_CLOEXEC) != 0)
    return -errno;
  if (pipe2(report, O_CLOEXEC) == 0)
    return 0;
  int error = errno;
  close_both(go);
  return -error;
}

/* A pid that is ours to wait for is not given to another process. */
static int note(int pid, int go, int report, int32_t *made) {
  int pidfd = rts_pidfd_open(pid);
  if (pidfd < 0)
    return pidfd;
  made[PROGRAM_PID] = pid;
  made[PROGRAM_PIDFD] = pidfd;
  made[PROGRAM_GO] = go;
  made[PROGRAM_REPORT] = report;
  return 0;
}

int32_t rts_program_begin(const char *words, uint32_t args, uint32_t env, uint32_t flags,
                          int32_t view, int32_t *made) {
  int go[2], report[2];
  int error = make_pipes(go, report);
  if (error != 0)
    return error;
  const char **list = calloc((size_t)args + env + 2, sizeof *list);
  if (!list) {
    close_both(go);
    close_both(report);
    return -ENOMEM;
  }
  struct program p = {.path = words, .flags = flags, .go = go[0], .report = report[1]};
  p.view = view;
  p.parent = getpid();
  words += strlen(words) + 1;
  p.args = take(list, &words, args);
  p.env = take(list + args + 1, &words, env);
  p.place = words;
  const long users = flags & PROGRAM_USERS ? CLONE_NEWUSER : 0;
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  long pid = sys6(SYS_clone, users | SIGCHLD, 0, 0, 0, 0, 0);
  if (pid == 0) {
    close(go[1]);
    run_child(&p);
  }
  signals_mask(mask);
  free(list);
  close(go[0]);
  close(report[1]);
  error = pid < 0 ? (int)pid : note((int)pid, go[1], report[0], made);
  if (error != 0) {
    close(go[1]); /* a child that was made ends of it */
    close(report[0]);
  }
  return error;
}

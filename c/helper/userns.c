/*
 * A user namespace that exists for its id maps alone (idmapped mounts, mount_setattr(2)): made by
 * cloning a child, mapped from outside, and kept by a descriptor when the child is gone.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/signals.h"
#include "helper.h"

#define CHILD_STACK 8192

/*
 * Waits to be killed. Shares our memory, so it does nothing but system calls. `data`: our pid, for we
 * may have died before the child asked to die with us.
 */
static int child_main(void *data) {
  syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (syscall(SYS_getppid) != *(const pid_t *)data)
    return 1;
  return (int)syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

static int open_of(int pid, const char *file, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  return rts_open(path, flags, 0);
}

/* The kernel takes a map in a single write(2) only. */
static int write_map(int pid, const char *file, const char *map) {
  int fd = open_of(pid, file, O_WRONLY);
  if (fd < 0)
    return fd;
  size_t length = strlen(map);
  int written = RETRY(write(fd, map, length));
  close(fd);
  if (written < 0)
    return written;
  return (size_t)written == length ? 0 : -EINVAL;
}

static int map_and_open(int pid, const char *uid_map, const char *gid_map) {
  int error = write_map(pid, "uid_map", uid_map);
  if (error == 0)
    error = write_map(pid, "gid_map", gid_map);
  return error == 0 ? open_of(pid, "ns/user", O_RDONLY) : error;
}

int32_t rts_userns(const char *uid_map, const char *gid_map) {
  _Alignas(16) char stack[CHILD_STACK];
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  pid_t own = getpid();
  int pid = clone(child_main, stack + sizeof stack, CLONE_VM | CLONE_NEWUSER, &own);
  int error = errno;
  signals_mask(mask);
  if (pid < 0)
    return -error;
  int result = map_and_open(pid, uid_map, gid_map);
  kill(pid, SIGKILL);
  RETRY(waitpid(pid, NULL, __WALL)); /* its stack is ours */
  return result;
}

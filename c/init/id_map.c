/* Ids of a user namespace that is joined, as the host calls them. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "fs.h"

#define MAP_MAX 16384 /* 340 lines */

/* Enters the namespace, says so and waits for its end. */
static _Noreturn void stand_in(int userns, int ready, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  int error = getppid() != parent ? ESRCH : setns(userns, CLONE_NEWUSER) == 0 ? 0 : errno;
  if (write(ready, &error, sizeof error) == sizeof error && error == 0)
    pause();
  _exit(1);
}

/* The map as it is seen from here, which is what the reader's own namespace decides. */
static int read_map(const struct init *in, pid_t pid, const char *file, char text[MAP_MAX]) {
  char path[48];
  snprintf(path, sizeof path, "../%d/%s", pid, file);
  int fd = kernel_openat2(in->self, path, O_RDONLY, 0, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  if (fd < 0)
    return fd;
  long length = RETRY(read(fd, text, MAP_MAX - 1));
  close(fd);
  text[length < 0 ? 0 : length] = '\0';
  return length < 0 ? (int)length : 0;
}

static int translate(char *map, unsigned *id) {
  while (*map) {
    const unsigned long inside = strtoul(map, &map, 10), outside = strtoul(map, &map, 10);
    const unsigned long count = strtoul(map, &map, 10);
    if (*id >= inside && *id - inside < count) {
      *id = (unsigned)(outside + (*id - inside));
      return 0;
    }
    map += strspn(map, "\n");
  }
  return *id == 0 ? 0 : -EINVAL;
}

static int translate_both(const struct init *in, pid_t pid, uid_t *uid, gid_t *gid) {
  char text[MAP_MAX];
  int error = read_map(in, pid, "uid_map", text);
  if (error == 0)
    error = translate(text, uid);
  if (error == 0)
    error = read_map(in, pid, "gid_map", text);
  return error ? error : translate(text, gid);
}

int ids_of_host(struct init *in, int userns, uid_t *uid, gid_t *gid) {
  int ready[2], error = EIO;
  if (userns < 0 || in->self < 0)
    return -EBADF;
  if (pipe2(ready, O_CLOEXEC) != 0)
    return -errno;
  const pid_t self = getpid();
  pid_t pid = fork();
  if (pid == 0)
    stand_in(userns, ready[1], self);
  close(ready[1]);
  if (pid < 0)
    error = errno;
  else if (RETRY(read(ready[0], &error, sizeof error)) != sizeof error)
    error = EIO;
  close(ready[0]);
  int result = error ? -error : translate_both(in, pid, uid, gid);
  if (pid > 0) {
    kill(pid, SIGKILL);
    RETRY(waitpid(pid, NULL, 0));
  }
  return result;
}

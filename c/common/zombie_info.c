#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit_info.h"
#include "kernel.h"

static int read_text(const char *path, char *text, size_t size) {
  CLEANUP_FD int fd = (int)RETRY(open(path, O_RDONLY | O_CLOEXEC));
  long length = fd < 0 ? fd : RETRY(read(fd, text, size - 1));
  text[length > 0 ? length : 0] = '\0';
  return length > 0;
}

/* printf(3) would be a quarter of a monitor. */
static void put_path(char *to, const char *head, int number, const char *tail) {
  char digits[12], *at = digits + sizeof digits - 1;
  *at = '\0';
  do
    *--at = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  strcat(strcat(strcpy(to, head), at), tail);
}

/* 0 or less for one that was reaped, or is in no namespace of ours. */
static int pid_of(int pidfd) {
  char path[40], text[512];
  put_path(path, "/proc/self/fdinfo/", pidfd, "");
  const char *line = read_text(path, text, sizeof text) ? strstr(text, "\nPid:") : NULL;
  return line ? atoi(line + sizeof "\nPid:" - 1) : 0;
}

/* In /proc/PID/stat the state is behind the name, and the status comes last. */
int zombie_info(int pidfd, int *status) {
  char path[40], text[1024];
  int pid = pid_of(pidfd);
  if (pid <= 0)
    return 0;
  put_path(path, "/proc/", pid, "/stat");
  const char *name = read_text(path, text, sizeof text) ? strrchr(text, ')') : NULL;
  const char *last = strrchr(text, ' ');
  if (!name || !last || name[2] != 'Z' || pid_of(pidfd) != pid)
    return 0;
  *status = atoi(last + 1);
  return 1;
}

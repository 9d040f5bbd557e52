#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>

#include "say.h"
#include "syscall.h"

long look_at(long directory, const char *path, struct statx *st) {
  int flags = AT_SYMLINK_NOFOLLOW | (*path ? 0 : AT_EMPTY_PATH);
  return sys6(SYS_STATX, directory, (long)path, flags, STATX_BASIC_STATS, (long)st, 0);
}

long open_regular(long directory, const char *path) {
  struct statx st;
  int flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
  long fd = sys4(SYS_OPENAT, directory, (long)path, flags, 0);
  if (fd < 0)
    return fd;
  if (look_at(fd, "", &st) == 0 && type_of(&st) == S_IFREG)
    return fd;
  sys1(SYS_CLOSE, fd);
  return -EINVAL;
}

long read_fully(long fd, void *to, size_t size) {
  size_t filled = 0;
  while (filled < size) {
    long n = sys3(SYS_READ, fd, (long)to + (long)filled, (long)(size - filled));
    if (n < 0)
      return n;
    if (n == 0)
      break;
    filled += (size_t)n;
  }
  return (long)filled;
}

long read_small(long directory, const char *path, char *to, size_t size) {
  long fd = sys4(SYS_OPENAT, directory, (long)path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0), n;
  if (fd < 0)
    return fd;
  n = read_fully(fd, to, size);
  sys1(SYS_CLOSE, fd);
  if (n == (long)size)
    return -EFBIG;
  if (n >= 0)
    to[n] = 0;
  return n;
}

void *new_pages(size_t size) {
  long pages =
      sys6(SYS_MMAP, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check("mmap", pages < 0 && pages > -4096 ? pages : 0);
  return (void *)pages;
}

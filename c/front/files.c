#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "say.h"
#include "syscall.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

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

long map_file(int fd, struct iovec *to) {
  long size = sys3(SYS_lseek, fd, 0, SEEK_END);
  if (size <= 0)
    return size < 0 ? size : -EINVAL;
  long pages = sys6(SYS_MMAP, 0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (pages < 0 && pages > -4096)
    return pages;
  *to = (struct iovec){(void *)pages, (size_t)size};
  return 0;
}

static long write_fully(long fd, const char *from, long left) {
  while (left > 0) {
    long n = sys3(SYS_WRITE, fd, (long)from, left);
    if (n <= 0)
      return n < 0 ? n : -EIO;
    from += n;
    left -= n;
  }
  return 0;
}

long sealed_memfd(const char *from, long length) {
  static const char name[] = "runts";
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  long result, fd = sys2(SYS_MEMFD_CREATE, (long)name, flags | MFD_NOEXEC_SEAL);
  if (fd < 0) /* before Linux 6.3 */
    fd = sys2(SYS_MEMFD_CREATE, (long)name, flags);
  if (fd < 0)
    return fd;
  result = write_fully(fd, from, length);
  if (result == 0)
    result =
        sys3(SYS_FCNTL, fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  if (result == 0)
    return fd;
  sys1(SYS_CLOSE, fd);
  return result;
}

void open_streams(void) {
  static const char null[] = "/dev/null";
  for (int fd = 0; fd < 3; fd++)
    if (sys3(SYS_FCNTL, fd, F_GETFD, 0) == -EBADF)
      check("open /dev/null in the place of a closed stream",
            sys4(SYS_OPENAT, AT_FDCWD, (long)null, O_RDWR, 0));
}

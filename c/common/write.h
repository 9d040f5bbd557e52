/* write(2) until all is written. */
#ifndef RUNTS_WRITE_H
#define RUNTS_WRITE_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* 0, or -errno. */
static inline int write_all(int fd, const void *bytes, size_t length) {
  const char *next = bytes;
  while (length > 0) {
    ssize_t written = write(fd, next, length);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -errno;
    next += written;
    length -= (size_t)written;
  }
  return 0;
}

#endif

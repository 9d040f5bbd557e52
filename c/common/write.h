/* write(2) until all is written. A filter may answer that nothing was. */
#ifndef RUNTS_WRITE_H
#define RUNTS_WRITE_H

#include <stddef.h>
#include <unistd.h>

#include "retry.h"

/* 0, or -errno. */
static inline int write_all(int fd, const void *bytes, size_t length) {
  const char *next = bytes;
  while (length > 0) {
    long written = RETRY(write(fd, next, length));
    if (written <= 0)
      return written < 0 ? (int)written : -EIO;
    next += written;
    length -= (size_t)written;
  }
  return 0;
}

#endif

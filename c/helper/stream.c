/* The bytes of pipes and terminals for those who have other things to do. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "stream.h"

int32_t rts_stream_open(int32_t fd, uint32_t size) {
  int flags = RETRY(fcntl(fd, F_GETFL));
  if (flags < 0)
    return flags;
  /* A user may hold only so much in pipes (pipe-user-pages-soft); a small one does, too. */
  if (size > 0)
    fcntl(fd, F_SETPIPE_SZ, (int)size);
  return RETRY(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int32_t rts_stream_read(int32_t fd, uint8_t *bytes, uint32_t size) {
  int length = RETRY(read(fd, bytes, size));
  return length == -EIO ? 0 : length;
}

int32_t rts_stream_write(int32_t fd, const uint8_t *bytes, uint32_t length) {
  return RETRY(write(fd, bytes, length));
}

/* Descriptors, fifos, locks, poll(2). */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "../common/stop.h"
#include "helper.h"

#define MEMFD_NOEXEC_SEAL 8u /* since Linux 6.3, where vm.memfd_noexec may demand it */
#define NS_PER_MS UINT64_C(1000000)

int32_t rts_open(const char *path, int32_t flags, uint32_t mode) {
  return RETRY(open(path, flags | O_CLOEXEC, mode));
}

int32_t rts_open_plain(const char *path, int32_t flags) {
  struct {
    uint64_t flags, mode, resolve;
  } how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_NO_MAGICLINKS};
  return RETRY(syscall(NR_OPENAT2, AT_FDCWD, path, &how, sizeof how));
}

int32_t rts_readlink(const char *path, uint8_t *bytes, uint32_t size) {
  int length = RETRY(readlink(path, (char *)bytes, size));
  return length == (int)size ? -ENAMETOOLONG : length;
}

/* Not retried: Linux has released the descriptor even when it reports EINTR. */
int32_t rts_close(int32_t fd) {
  return close(fd) == 0 || errno == EINTR ? 0 : -errno;
}

int32_t rts_read(int32_t fd, uint8_t *bytes, uint32_t size) {
  return RETRY(read(fd, bytes, size));
}

int32_t rts_read_file(const char *path, uint8_t *bytes, uint32_t size) {
  CLEANUP_FD int fd = (int)RETRY(open(path, O_RDONLY | O_CLOEXEC));
  uint32_t length = 0;
  long count = fd;
  while (count >= 0 && length < size) {
    count = RETRY(read(fd, bytes + length, size - length));
    if (count <= 0)
      return count < 0 ? (int32_t)count : (int32_t)length;
    length += (uint32_t)count;
  }
  return count < 0 ? (int32_t)count : -EFBIG;
}

int32_t rts_read_available(int32_t fd, uint8_t *bytes, uint32_t size) {
  struct pollfd polled = {.fd = fd, .events = POLLIN};
  int ready = rts_poll(&polled, 1, 0);
  if (ready < 0)
    return ready;
  if (polled.revents & POLLNVAL)
    return -EBADF;
  return ready == 0 ? -EAGAIN : rts_read(fd, bytes, size);
}

int32_t rts_write(int32_t fd, const uint8_t *bytes, uint32_t length) {
  uint32_t done = 0;
  STOP("@write");
  for (int vain = 0; done < length;) {
    int written = RETRY(write(fd, bytes + done, length - done));
    if (written == -EAGAIN) {
      struct pollfd polled = {.fd = fd, .events = POLLOUT};
      written = rts_poll(&polled, 1, -1) < 0 ? -EAGAIN : 0;
    }
    if (written < 0)
      return written;
    vain = written > 0 ? 0 : vain + 1;
    if (vain > INTERRUPTIONS_MAX)
      return -EAGAIN;
    done += (uint32_t)written;
  }
  STOP("@written");
  return (int32_t)done;
}

int32_t rts_mkfifo(const char *path, uint32_t mode) {
  STOP("@mkfifo");
  int result = RETRY(mkfifo(path, mode));
  return result < 0 ? result : RETRY(chmod(path, mode));
}

int32_t rts_rename(const char *from, const char *to) {
  return RETRY(rename(from, to));
}

int32_t rts_lock_open(const char *path) {
  STOP("@lock");
  return rts_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

int32_t rts_lock(int32_t fd) {
  int result = RETRY(flock(fd, LOCK_EX | LOCK_NB));
  if (result == 0)
    STOP("@locked");
  return result;
}

int32_t rts_lock_bytes(int32_t fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return RETRY(fcntl(fd, F_OFD_SETLK, &lock));
}

int32_t rts_poll(struct pollfd *polled, uint32_t count, int32_t timeout_ms) {
  if (timeout_ms == 0)
    return RETRY(poll(polled, count, 0));
  return poll_until(polled, count, timeout_ms < 0 ? 0 : now_ns() + timeout_ms * NS_PER_MS);
}

int32_t rts_fd_flags(int32_t fd) {
  return RETRY(fcntl(fd, F_GETFD));
}

int32_t rts_memory_file(const char *name) {
  int fd = RETRY(syscall(SYS_memfd_create, name, MFD_CLOEXEC | MEMFD_NOEXEC_SEAL));
  return fd == -EINVAL ? RETRY(syscall(SYS_memfd_create, name, MFD_CLOEXEC)) : fd;
}

int32_t rts_pipe(int32_t *fds) {
  return RETRY(pipe2(fds, O_CLOEXEC));
}

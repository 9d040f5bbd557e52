#define _GNU_SOURCE 1
#include "memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "write.h"

int sealed_memfd(const char *name, unsigned flags, const void *bytes, size_t length) {
  flags |= MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = RETRY(syscall(SYS_memfd_create, name, flags));
  if (fd == -EINVAL)
    fd = RETRY(syscall(SYS_memfd_create, name, flags & ~MEMFD_EXECUTABLE));
  if (fd < 0)
    return fd;
  int error = write_all(fd, bytes, length);
  if (error == 0)
    error = RETRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
  if (error >= 0)
    return fd;
  close(fd);
  return error;
}

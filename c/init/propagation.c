/* The propagation of mounts (mount_namespaces(7), "Propagation type"). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fs.h"

int op_propagation(struct init *in, const union field *f) {
  const char *path = f[0].text;
  long error = kernel_result(mount(NULL, path, NULL, f[1].u32, NULL));
  return error ? fail_at(in, (int)error, "set the propagation of \"%s\"", path) : 0;
}

int detach_mount_of(int directory, unsigned propagation) {
  int fd = (int)RETRY(fcntl(directory, F_DUPFD_CLOEXEC, 3));
  while (fd >= 0) {
    struct kernel_mount_attr attr = {.propagation = propagation};
    int error = kernel_mount_setattr(fd, 0, &attr);
    if (error != -EINVAL) { /* EINVAL: not the root of a mount */
      close(fd);
      return error;
    }
    int parent = (int)RETRY(openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    bool top = parent >= 0 && same_place(fd, parent);
    close(fd);
    if (top) {
      close(parent);
      return 0;
    }
    fd = parent;
  }
  return fd;
}

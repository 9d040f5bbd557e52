/* Taking away what is mounted at a path of the root filesystem. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

#include "fs.h"

/*
 * By the descriptor that the path has led to, which is a name in procfs: no path is resolved twice, and a
 * container need not have a procfs.
 */
static int unmount(const struct init *in, int fd) {
  char name[32];
  snprintf(name, sizeof name, "fd/%d", fd);
  if (in->self < 0)
    return -ENOENT;
  if (fchdir(in->self) != 0)
    return -errno;
  return (int)kernel_result(umount2(name, MNT_DETACH));
}

int op_unmount(struct init *in, const union field *f) {
  const char *path = f[0].text;
  CLEANUP_FD int fd = path_open(in, path, O_PATH);
  if (fd < 0) {
    fail_at(in, fd, "unmount \"%s\"", path);
    return explain_path(in, in->root, path, fd);
  }
  if (same_place(fd, in->root))
    return fail_at(in, -EBUSY, "unmount \"%s\": it is the root", path);
  int error = unmount(in, fd);
  if (error == 0)
    return 0;
  fail_at(in, error, "unmount \"%s\"", path);
  if (error == -EINVAL)
    detail_add(in, ": nothing is mounted there, or the user namespace locks it");
  return error;
}

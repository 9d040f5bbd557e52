/*
 * The owner of the standard streams: a program that is not root must be able to open /dev/stdout
 * again, which leads to the pipe or file that the caller of runts made.
 */
#define _GNU_SOURCE 1
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init.h"

/* A device of memory (null, zero, full, …) is everyone's, and its node may be the host's own. */
static bool is_common_device(const struct stat *file) {
  return S_ISCHR(file->st_mode) && major(file->st_rdev) == 1;
}

int op_stdio_owner(struct init *in, const union field *f) {
  for (int fd = 0; fd <= 2; fd++) {
    struct stat file;
    if (fstat(fd, &file) != 0 || file.st_uid == f[0].u32 || is_common_device(&file))
      continue;
    long error = RETRY(fchown(fd, f[0].u32, (gid_t)-1));
    /* EINVAL: the owner has no id here. EPERM, EROFS: as it is then. EBADF: only open as a path. */
    if (error == 0 || error == -EINVAL || error == -EPERM || error == -EROFS || error == -EBADF)
      continue;
    return fail_at(in, (int)error, "give descriptor %d to user %u", fd, f[0].u32);
  }
  return 0;
}

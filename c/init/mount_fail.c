/* Failures of mounts in words: what was to be mounted where, and why that cannot be. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "fs.h"

int mount_fail(struct init *in, const struct mount_request *r, int error) {
  switch (r->kind) {
  case MOUNT_FILESYSTEM:
    if (*r->source == '/')
      return fail_at(in, error, "mount \"%s\" (%s) on \"%s\"", r->source, r->fstype,
                     r->destination);
    return fail_at(in, error, "mount \"%s\" on \"%s\"", r->fstype, r->destination);
  case MOUNT_REMOUNT:
    return fail_at(in, error, "remount \"%s\"", r->destination);
  default:
    return fail_at(in, error, "bind \"%s\" on \"%s\"", r->source, r->destination);
  }
}

int mount_fail_because(struct init *in, const struct mount_request *r, int error,
                       const char *format, ...) {
  va_list arguments;
  mount_fail(in, r, error);
  va_start(arguments, format);
  detail_add_list(in, format, arguments);
  va_end(arguments);
  return error;
}

int mount_point_fail(struct init *in, const struct mount_request *r, int error) {
  if (error == -EXDEV)
    return mount_fail_because(in, r, error, ": a symlink leads into procfs or sysfs");
  mount_fail(in, r, error);
  return explain_path(in, in->root, r->destination, error);
}

int mount_attach_fail(struct init *in, const struct mount_request *r, int tree, int destination,
                      int error) {
  struct stat from, to;
  if (fstat(tree, &from) != 0 || fstat(destination, &to) != 0 ||
      S_ISDIR(from.st_mode) == S_ISDIR(to.st_mode))
    return mount_fail(in, r, error);
  error = error == -EINVAL ? -ENOTDIR : error;
  return mount_fail_because(in, r, error, ": the source being %s, the mount point %s",
                            file_kind(from.st_mode), file_kind(to.st_mode));
}

int mount_attributes_fail(struct init *in, const struct mount_request *r, int error,
                          const char *locked) {
  if (locked)
    return mount_fail_because(
        in, r, error, ": %s is refused: the user namespace locks the attributes of the source",
        locked);
  const bool other = r->kind == MOUNT_REMOUNT && error == -EINVAL;
  return mount_fail_because(in, r, error,
                            other ? ": nothing is mounted there" : ": set its attributes");
}

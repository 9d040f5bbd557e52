/* Details of failures: what refused, and why, in words. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fs.h"

void detail_add_list(struct init *in, const char *format, va_list arguments) {
  size_t used = in->detail_length;
  if (used >= sizeof in->detail)
    return;
  if (vsnprintf(in->detail + used, sizeof in->detail - used, format, arguments) > 0)
    in->detail_length = used + strlen(in->detail + used);
}

void detail_add(struct init *in, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  detail_add_list(in, format, arguments);
  va_end(arguments);
}

const char *file_kind(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG:
    return "a regular file";
  case S_IFDIR:
    return "a directory";
  case S_IFLNK:
    return "a symlink";
  case S_IFCHR:
    return "a character device";
  case S_IFBLK:
    return "a block device";
  case S_IFIFO:
    return "a fifo";
  case S_IFSOCK:
    return "a socket";
  default:
    return "a file of unknown type";
  }
}

static int open_element(int root, const char *path, uint64_t flags) {
  if (root < 0)
    return kernel_openat2(AT_FDCWD, path, O_PATH | flags, 0, 0);
  return kernel_openat2(root, path, O_PATH | flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* What can be said of an element that could not be opened. */
static void explain_refused(struct init *in, int root, const char *path, int error) {
  CLEANUP_FD int fd = open_element(root, path, O_NOFOLLOW);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) != 0) {
    if (error == -ENOENT)
      detail_add(in, ": \"%s\" does not exist", path);
    else
      detail_add(in, ": \"%s\" cannot be opened", path);
    return;
  }
  char target[PATH_MAX];
  long length = readlinkat(fd, "", target, sizeof target - 1);
  target[length > 0 ? length : 0] = '\0';
  if (error == -ENOENT && length > 0)
    detail_add(in, ": \"%s\" is a symlink to \"%s\", which does not exist", path, target);
  else if (error == -ELOOP && length > 0)
    detail_add(in, ": \"%s\" is a symlink to \"%s\" that cannot be followed", path, target);
  else
    detail_add(in, ": \"%s\" is %s", path, file_kind(st.st_mode));
}

/*
 * What can be said of the element before the one that gave `error`; false if nothing. `wanted`:
 * the error of what was tried on the whole path.
 */
static bool explain_parent(struct init *in, int parent, const char *path, int error, int wanted) {
  struct stat st;
  if (parent < 0 || fstat(parent, &st) != 0)
    return false;
  if (!S_ISDIR(st.st_mode)) {
    detail_add(in, ": \"%s\" is %s, not a directory", path, file_kind(st.st_mode));
    return true;
  }
  const bool make = error == -ENOENT && wanted == -EACCES;
  if (error != -EACCES && !make)
    return false;
  detail_add(in, ": \"%s\" (mode %04o, owner %u:%u) cannot be %s by %u:%u", path,
             st.st_mode & 07777, st.st_uid, st.st_gid, make ? "written" : "searched", geteuid(),
             getegid());
  return true;
}

int explain_path(struct init *in, int root, const char *path, int error) {
  char prefix[PATH_MAX], before[PATH_MAX];
  size_t length = strlen(path), end = 0;
  if (error == -EMFILE || error == -ENFILE)
    return error; /* no element of the path is to blame */
  if (length >= sizeof prefix) {
    detail_add(in, ": the path has %zu bytes", length);
    return error;
  }
  CLEANUP_FD int parent = -1;
  strcpy(before, *path == '/' ? "/" : ".");
  while (end < length) {
    end += strspn(path + end, "/");
    end += strcspn(path + end, "/");
    memcpy(prefix, path, end);
    prefix[end] = '\0';
    int fd = open_element(root, prefix, 0);
    if (fd < 0) {
      if (!explain_parent(in, parent, before, fd, error))
        explain_refused(in, root, prefix, fd);
      return error;
    }
    if (parent >= 0)
      close(parent);
    parent = fd;
    strcpy(before, prefix);
  }
  return error;
}

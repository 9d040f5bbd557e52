/* One file of a tree that is copied: its data, and what it has beside them. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree.h"

#define PIECE (8u << 20)
#define BUFFER (256u << 10)
#define BLOCK 512
#define NAME_SPACE 320 /* /proc/self/fd/N/NAME */

/* Of a filesystem, or a pair of them, that cannot do it by itself. */
static bool cannot(int error) {
  return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP ||
         error == EPERM || error == ENOTTY || error == EBADF;
}

static int copy_bytes(struct tree_path *path, int from, int to, off_t at, off_t end) {
  char *buffer = malloc(BUFFER);
  if (!buffer)
    return tree_failed(path, "read");
  int error = 0;
  while (at < end && error == 0) {
    size_t wanted = end - at < (off_t)BUFFER ? (size_t)(end - at) : BUFFER;
    ssize_t length = RETRY(pread(from, buffer, wanted, at));
    if (length < 0)
      error = (errno = (int)-length, tree_failed(path, "read"));
    if (length <= 0)
      break;
    for (ssize_t done = 0; done < length && error == 0;) {
      ssize_t written = RETRY(pwrite(to, buffer + done, (size_t)(length - done), at + done));
      if (written < 0)
        error = (errno = (int)-written, tree_failed(path, "write"));
      else
        done += written;
    }
    at += length;
    if (error == 0)
      error = tree_stopped(path);
  }
  free(buffer);
  return error;
}

static int copy_range(struct tree_path *path, int from, int to, off_t at, off_t end) {
  while (at < end) {
    off_t in = at, out = at;
    size_t wanted = end - at < (off_t)PIECE ? (size_t)(end - at) : PIECE;
    ssize_t length = RETRY(copy_file_range(from, &in, to, &out, wanted, 0));
    if (length <= 0 && (length == 0 || cannot((int)-length)))
      return copy_bytes(path, from, to, at, end);
    if (length < 0)
      return (errno = (int)-length, tree_failed(path, "write"));
    at += length;
    int error = tree_stopped(path);
    if (error != 0)
      return error;
  }
  return 0;
}

/* What is data is copied; between it there are holes. */
static int copy_sparse(struct tree_path *path, int from, int to, off_t size) {
  for (off_t at = 0; at < size;) {
    off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
      break;
    if (data < 0)
      return copy_range(path, from, to, at, size);
    off_t hole = lseek(from, data, SEEK_HOLE);
    int error = copy_range(path, from, to, data, hole < 0 ? size : hole);
    if (error != 0)
      return error;
    at = hole < 0 ? size : hole;
  }
  return ftruncate(to, size) == 0 ? 0 : tree_failed(path, "write");
}

int tree_data(struct tree_path *path, int from, int to, const struct stat *st) {
  if (st->st_size == 0)
    return 0;
  if (ioctl(to, FICLONE, from) == 0)
    return 0;
  if (!cannot(errno))
    return tree_failed(path, "write");
  if ((off_t)st->st_blocks * BLOCK < st->st_size)
    return copy_sparse(path, from, to, st->st_size);
  return copy_range(path, from, to, 0, st->st_size);
}

/* An attribute of any length. */
static int copy_attribute(const char *from, const char *to, const char *name) {
  char small[1024], *value = small;
  ssize_t length = lgetxattr(from, name, value, sizeof small);
  if (length < 0 && errno == ERANGE) {
    value = malloc(XATTR_SIZE_MAX);
    length = value ? lgetxattr(from, name, value, XATTR_SIZE_MAX) : -1;
  }
  int error = 0;
  if (length < 0 || lsetxattr(to, name, value, (size_t)length, 0) != 0)
    error = errno;
  if (value != small)
    free(value);
  return error == ENODATA ? 0 : -error;
}

static int copy_attributes(struct tree_path *path, int from, int to, const char *name) {
  char source[NAME_SPACE], target[NAME_SPACE], list[4096];
  snprintf(source, sizeof source, "/proc/self/fd/%d/%s", from, name);
  ssize_t length = llistxattr(source, list, sizeof list);
  if (length == 0 || (length < 0 && errno == EOPNOTSUPP))
    return 0;
  char *names = list;
  if (length < 0 && errno == ERANGE) {
    names = malloc(XATTR_LIST_MAX);
    length = names ? llistxattr(source, names, XATTR_LIST_MAX) : -1;
  }
  int error = length < 0 ? -errno : 0;
  snprintf(target, sizeof target, "/proc/self/fd/%d/%s", to, name);
  for (ssize_t at = 0; at < length && error == 0; at += (ssize_t)strlen(names + at) + 1)
    error = copy_attribute(source, target, names + at);
  if (names != list)
    free(names);
  return error == 0 ? 0 : (errno = -error, tree_failed(path, "set attributes"));
}

/* A change of the owner takes set-id bits and capabilities away: those come after it. */
int tree_attributes(struct tree_path *path, int from, int to, const char *name,
                    const struct stat *st) {
  if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0)
    return tree_failed(path, "change owner");
  int error = copy_attributes(path, from, to, name);
  if (error != 0)
    return error;
  if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) != 0)
    return tree_failed(path, "change mode");
  const struct timespec times[] = {st->st_atim, st->st_mtim};
  return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : tree_failed(path, "set times");
}

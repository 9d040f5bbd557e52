/* Copies a directory into a new tmpfs: modes, owners, times, symlinks, nodes and attributes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fs.h"

/* Mounts inside the directory are not followed, nor is any symlink. */
#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS)

/* Copies the data, leaving holes as they are. */
static int copy_data(int from, int to, off_t size) {
  if (ftruncate(to, size) != 0)
    return -errno;
  for (off_t at = 0; at < size;) {
    off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0)
      return errno == ENXIO ? 0 : -errno;
    off_t end = lseek(from, data, SEEK_HOLE);
    if (end < 0 || lseek(to, data, SEEK_SET) < 0)
      return -errno;
    for (at = data; at < end;) {
      long sent = RETRY(sendfile(to, from, &at, (size_t)(end - at)));
      if (sent < 0)
        return (int)sent;
      if (sent == 0) /* the file shrank */
        return 0;
    }
  }
  return 0;
}

/* Extended attributes that tmpfs takes; those that it does not know are left out. */
static void copy_attributes(int from, int to) {
  char names[4096], value[4096];
  ssize_t length = flistxattr(from, names, sizeof names);
  for (char *name = names; name < names + length; name += strlen(name) + 1) {
    ssize_t size = fgetxattr(from, name, value, sizeof value);
    if (size >= 0)
      (void)fsetxattr(to, name, value, (size_t)size, 0);
  }
}

/* The owner first: changing it clears the setuid bit. */
static int copy_metadata(int to, const struct stat *st) {
  const struct timespec times[2] = {st->st_atim, st->st_mtim};
  if (fchown(to, st->st_uid, st->st_gid) != 0 || fchmod(to, st->st_mode & 07777) != 0 ||
      futimens(to, times) != 0)
    return -errno;
  return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name) {
  const uint64_t flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  CLEANUP_FD int from = kernel_openat2(from_dir, name, flags, 0, INSIDE);
  struct stat st;
  if (from < 0)
    return from == -EXDEV ? 0 : from;
  if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
    return -EBUSY;
  const int create = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  CLEANUP_FD int to = (int)RETRY(openat(to_dir, name, create, 0600));
  if (to < 0)
    return to;
  int error = copy_data(from, to, st.st_size);
  copy_attributes(from, to);
  return error ? error : copy_metadata(to, &st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(from_dir, name, target, sizeof target - 1);
  if (length < 0)
    return -errno;
  target[length] = '\0';
  if (symlinkat(target, to_dir, name) != 0 ||
      fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0)
    return -errno;
  return 0;
}

/* A device that may not be made here (in a user namespace) is left out. */
static int copy_node(int to_dir, const char *name, const struct stat *st) {
  if (mknodat(to_dir, name, st->st_mode & (S_IFMT | 07777), st->st_rdev) != 0)
    return errno == EPERM ? 0 : -errno;
  if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      fchmodat(to_dir, name, st->st_mode & 07777, 0) != 0)
    return -errno;
  return 0;
}

/* A directory that is a mount point is made, and stays empty. */
static int copy_directory(int from_dir, int to_dir, const char *name, const struct stat *st) {
  CLEANUP_FD int from = kernel_openat2(from_dir, name, O_PATH | O_DIRECTORY, 0, INSIDE);
  if (from < 0 && from != -EXDEV)
    return from;
  if (mkdirat(to_dir, name, 0700) != 0)
    return -errno;
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  CLEANUP_FD int to = (int)RETRY(openat(to_dir, name, flags));
  if (to < 0)
    return to;
  int error = from >= 0 ? tmpcopyup(from, to) : 0;
  return error ? error : copy_metadata(to, st);
}

static int copy_entry(int from, int to, const char *name) {
  struct stat st;
  if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return -errno;
  switch (st.st_mode & S_IFMT) {
  case S_IFDIR:
    return copy_directory(from, to, name, &st);
  case S_IFREG:
    return copy_file(from, to, name);
  case S_IFLNK:
    return copy_link(from, to, name, &st);
  case S_IFCHR:
  case S_IFBLK:
  case S_IFIFO:
    return copy_node(to, name, &st);
  default: /* a socket is of no use without its owner */
    return 0;
  }
}

int tmpcopyup(int from, int to) {
  int readable = (int)RETRY(openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (readable < 0)
    return readable;
  DIR *directory = fdopendir(readable);
  if (directory == NULL) {
    close(readable);
    return -ENOMEM;
  }
  int error = 0;
  const struct dirent *entry;
  while (error == 0 && (errno = 0, entry = readdir(directory)) != NULL)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      error = copy_entry(readable, to, entry->d_name);
  if (error == 0 && errno != 0)
    error = -errno;
  if (error == 0)
    copy_attributes(readable, to);
  closedir(directory);
  return error;
}

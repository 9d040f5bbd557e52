/* Files and device nodes below a root. */
#define _GNU_SOURCE 1
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/kernel.h"

#define KIND (S_IFCHR | S_IFBLK)

static int open_below(int root, const char *path, int flags) {
  return kernel_openat2(root, *path ? path : ".", flags, 0,
                        RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

static int directory_below(int root, const char *path) {
  return open_below(root, path, O_PATH | O_DIRECTORY);
}

int32_t rts_open_below(const char *root, const char *path, int32_t flags) {
  CLEANUP_FD int fd = rts_open(root, O_PATH | O_DIRECTORY, 0);
  return fd < 0 ? fd : open_below(fd, path, flags);
}

/* The directory of what stands at `path`, whose last part begins at `name`; made where `make` says so. */
static int open_parent(int root, char *path, const char *name, bool make) {
  for (char *end = strchr(path, '/'); make && end && end < name; end = strchr(end + 1, '/')) {
    *end = '\0';
    const char *slash = strrchr(path, '/');
    CLEANUP_FD int there = directory_below(root, path);
    if (there == -ENOENT && end[-1] != '/') {
      char above[PATH_MAX] = "";
      if (slash)
        memcpy(above, path, (size_t)(slash - path));
      CLEANUP_FD int parent = directory_below(root, above);
      if (parent < 0 || mkdirat(parent, slash ? slash + 1 : path, 0755) != 0)
        return parent < 0 ? parent : -errno;
    }
    *end = '/';
  }
  char above[PATH_MAX] = "";
  memcpy(above, path, (size_t)(name - path));
  return directory_below(root, above);
}

/* What a path is below a root, cut into its directory, which is opened, and its name. */
static int open_place(const char *root, const char *path, bool make, char *text,
                      const char **name) {
  while (*path == '/')
    path++;
  size_t length = strlen(path);
  if (length == 0 || length >= PATH_MAX)
    return length == 0 ? -EINVAL : -ENAMETOOLONG;
  memcpy(text, path, length + 1);
  const char *slash = strrchr(text, '/');
  *name = slash ? slash + 1 : text;
  if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
    return -EINVAL;
  CLEANUP_FD int fd = rts_open(root, O_PATH | O_DIRECTORY, 0);
  return fd < 0 ? fd : open_parent(fd, text, *name, make);
}

int32_t rts_node_make(const char *root, const char *path, uint32_t mode, uint64_t device) {
  char text[PATH_MAX];
  const char *name;
  CLEANUP_FD int parent = open_place(root, path, true, text, &name);
  if (parent < 0)
    return parent;
  if (mknodat(parent, name, mode & (KIND | 0777), device) != 0)
    return -errno;
  return fchmodat(parent, name, mode & 0777, 0) == 0 ? 0 : -errno;
}

int32_t rts_node_remove(const char *root, const char *path, uint32_t mode, uint64_t device) {
  char text[PATH_MAX];
  const char *name;
  struct stat st;
  CLEANUP_FD int parent = open_place(root, path, false, text, &name);
  if (parent < 0)
    return parent;
  if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return -errno;
  if ((st.st_mode & S_IFMT) != (mode & S_IFMT) || st.st_rdev != device)
    return -ENODEV;
  return unlinkat(parent, name, 0) == 0 ? 0 : -errno;
}

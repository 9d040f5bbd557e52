/*
 * Entering the root filesystem without pivot_root(2), which an initramfs does not allow.
 *
 * The host's mounts stay in the mount namespace below the moved root. The kernel lets a user
 * namespace mount procfs and sysfs only where a full one is visible already, and would count the
 * host's; so those are unmounted, or covered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"

char *read_text(int at, const char *name) {
  int fd = (int)RETRY(openat(at, name, O_RDONLY | O_CLOEXEC));
  if (fd < 0) {
    errno = -fd;
    return NULL;
  }
  size_t used = 0, size = 16384;
  char *text = malloc(size), *larger;
  while (text != NULL) {
    long length = RETRY(read(fd, text + used, size - used - 1));
    if (length < 0) {
      free(text);
      text = NULL;
      errno = (int)-length;
      break;
    }
    used += (size_t)length;
    text[used] = '\0';
    if (length == 0)
      break;
    if (size - used > 1)
      continue;
    larger = realloc(text, size *= 2);
    if (larger == NULL)
      free(text);
    text = larger;
  }
  close(fd);
  return text;
}

static bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

/* Undoes the octal escapes of mountinfo ("\\040" for a space), in place. */
static void unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from; to++) {
    if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
      *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else
      *to = *from++;
  }
  *to = '\0';
}

/*
 * The mount point that a line of mountinfo names, if it shows the whole of a procfs or sysfs;
 * else NULL. ID PARENT DEVICE ROOT POINT OPTIONS [OPTIONAL...] - TYPE SOURCE OPTIONS, proc(5).
 */
static char *full_pseudo_mount(char *line) {
  char *rest = NULL, *column[5];
  const char *type = strstr(line, " - ");
  if (type == NULL || (strncmp(type + 3, "proc ", 5) != 0 && strncmp(type + 3, "sysfs ", 6) != 0))
    return NULL;
  for (int i = 0; i < 5; i++)
    if ((column[i] = strtok_r(i == 0 ? line : NULL, " ", &rest)) == NULL)
      return NULL;
  if (strcmp(column[3], "/") != 0)
    return NULL;
  unescape(column[4]);
  return column[4];
}

static bool is_below(const char *path, const char *directory) {
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/*
 * The mount that it lies on must be a slave, too: that one's peers pass on what is unmounted there.
 */
static int keep_from_host(const char *path) {
  char parent[PATH_MAX];
  if (snprintf(parent, sizeof parent, "%s/..", path) >= (int)sizeof parent)
    return -ENAMETOOLONG;
  CLEANUP_FD int fd = (int)RETRY(open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC));
  int error = fd < 0 ? fd : detach_mount_of(fd, MS_SLAVE);
  if (error == 0 && mount(NULL, path, NULL, MS_SLAVE | MS_REC, NULL) != 0)
    error = -errno;
  return error == -EINVAL || error == -ENOENT ? 0 : error;
}

/* A mount that the user namespace may not unmount is covered by an empty tmpfs. */
static int hide(struct init *in, const char *path) {
  int error = keep_from_host(path);
  if (error)
    return fail_at(in, error, "keep the unmounting of \"%s\" from the host", path);
  if (umount2(path, MNT_DETACH) == 0)
    return 0;
  if (errno != EINVAL && errno != EPERM)
    return fail_at(in, -errno, "unmount the host's \"%s\"", path);
  if (mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL) != 0 && errno != ENOENT)
    return fail_at(in, -errno, "cover the host's \"%s\"", path);
  return 0;
}

static int hide_host_mounts(struct init *in, const char *root) {
  char *rest = NULL, *mounts = read_text(in->self, "mountinfo");
  if (mounts == NULL)
    return fail_at(in, -errno, "read the host's mounts");
  int error = 0;
  char *line = strtok_r(mounts, "\n", &rest);
  for (; line != NULL && error == 0; line = strtok_r(NULL, "\n", &rest)) {
    const char *point = full_pseudo_mount(line);
    if (point != NULL && !is_below(point, root))
      error = hide(in, point);
  }
  free(mounts);
  return error;
}

int move_root(struct init *in) {
  char root[PATH_MAX];
  int error = fd_real_path(in, in->root, root, sizeof root);
  if (error)
    return fail_at(in, error, "find the path of the root filesystem");
  CLEANUP_FD int top = (int)RETRY(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  error = top < 0 ? top : detach_mount_of(top, MS_SLAVE);
  if (error)
    return fail_at(in, error, "keep the mounts on \"/\" from the host");
  error = hide_host_mounts(in, root);
  if (error)
    return error;
  error = kernel_move_mount(in->root, top);
  if (error && error != -ELOOP) /* ELOOP: it was attached there to begin with */
    return fail_at(in, error, "move the root filesystem over \"/\"");
  if (fchdir(in->root) != 0 || chroot(".") != 0)
    return fail_at(in, -errno, "chroot into the root filesystem");
  return 0;
}

/*
 * Masked and read-only paths. Every path is opened once, inside the root, and what is mounted
 * goes to that descriptor.
 *
 * The first mask of its kind is attached, and all others are clones of that mount: a mount that is
 * still detached can be cloned from Linux 6.15 on only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fs.h"

static bool is_null_device(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static bool same_device(int a, int b) {
  struct stat x, y;
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev;
}

/* Attaches the mount, which becomes what later masks are cloned from. */
static int attach_first(int tree, int target, int *shared) {
  if (tree < 0)
    return tree;
  int error = kernel_move_mount(tree, target);
  if (error)
    close(tree);
  else
    *shared = tree;
  return error;
}

static int attach_clone(int shared, int target) {
  CLEANUP_FD int tree = kernel_open_tree(shared, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  return tree < 0 ? tree : kernel_move_mount(tree, target);
}

/*
 * "/dev/null" is the host's, or after enter_root the container's, where it could be anything: a
 * mask that is writable storage, or a file of the host, would be no mask (CVE-2025-31133).
 */
static int open_null(struct init *in, const char *path) {
  int tree = kernel_open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
  if (tree < 0) {
    fail_at(in, tree, "mask \"%s\"", path);
    return explain_path(in, -1, "/dev/null", tree);
  }
  if (is_null_device(tree))
    return tree;
  close(tree);
  return fail_at(in, -ENODEV, "mask \"%s\": \"/dev/null\" is not the null device", path);
}

static int cover_file(struct init *in, const char *path, int target) {
  if (is_null_device(target))
    return 0;
  if (in->mask_file >= 0)
    return attach_clone(in->mask_file, target);
  return attach_first(open_null(in, path), target, &in->mask_file);
}

/* An empty, read-only tmpfs. */
static int make_empty(const char *label) {
  CLEANUP_FD int context = kernel_fsopen("tmpfs");
  if (context < 0)
    return context;
  int error = kernel_fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL);
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "source", "tmpfs");
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "nr_blocks", "1");
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", "1");
  if (error == 0 && *label)
    error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "context", label);
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
  return error ? error : kernel_fsmount(context, MOUNT_ATTR_RDONLY);
}

static int cover_directory(struct init *in, const char *label, int target) {
  if (in->mask_directory < 0)
    return attach_first(make_empty(label), target, &in->mask_directory);
  if (same_device(target, in->mask_directory))
    return 0;
  return attach_clone(in->mask_directory, target);
}

static bool is_missing(int error) {
  return error == -ENOENT || error == -ENOTDIR;
}

int op_mask(struct init *in, const union field *f) {
  const char *path = f[0].text;
  CLEANUP_FD int target = path_open(in, path, O_PATH);
  struct stat st;
  if (is_missing(target))
    return 0;
  if (target < 0 || fstat(target, &st) != 0)
    return fail_at(in, target < 0 ? target : -errno, "mask \"%s\"", path);
  int error =
      S_ISDIR(st.st_mode) ? cover_directory(in, f[1].text, target) : cover_file(in, path, target);
  if (error && in->detail_length == 0)
    fail_at(in, error, "mask \"%s\"", path);
  return error;
}

int op_readonly(struct init *in, const union field *f) {
  const char *path = f[0].text;
  struct kernel_mount_attr attr = {.set = MOUNT_ATTR_RDONLY};
  CLEANUP_FD int target = path_open(in, path, O_PATH);
  if (is_missing(target))
    return 0;
  if (target < 0)
    return fail_at(in, target, "make \"%s\" read-only", path);
  if (same_place(target, in->root))
    return op_readonly_root(in, NULL);
  CLEANUP_FD int tree =
      kernel_open_tree(target, "", OPEN_TREE_CLONE | AT_RECURSIVE | AT_EMPTY_PATH);
  int error = tree < 0 ? tree : kernel_mount_setattr(tree, 0, &attr);
  if (error == 0)
    error = kernel_move_mount(tree, target);
  return error ? fail_at(in, error, "make \"%s\" read-only", path) : 0;
}

/* Directories, symlinks and device nodes in the root filesystem. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "fs.h"

int op_mkdir(struct init *in, const union field *f) {
  CLEANUP_FD int fd = path_make_directory(in, f[0].text, f[1].u32);
  if (fd >= 0)
    return 0;
  fail_at(in, fd, "make the directory \"%s\"", f[0].text);
  return explain_path(in, in->root, f[0].text, fd);
}

/* -EAGAIN: what was there has gone, or something has come, since it was looked at. */
static int place_symlink(int parent, const char *name, const char *target, bool replace) {
  char there[PATH_MAX];
  int error = (int)kernel_result(symlinkat(target, parent, name));
  if (error != -EEXIST)
    return error;
  ssize_t length = replace ? readlinkat(parent, name, there, sizeof there) : 0;
  if (!replace || (length == (ssize_t)strlen(target) && memcmp(there, target, (size_t)length) == 0))
    return 0;
  error = (int)kernel_result(unlinkat(parent, name, 0));
  return error == 0 || error == -ENOENT ? -EAGAIN : error;
}

int op_symlink(struct init *in, const union field *f) {
  const char *target = f[0].text, *path = f[1].text, *name;
  int error = -EAGAIN;
  for (int i = 0; i < RACES_MAX && (error == -EAGAIN || error == -ENOENT); i++) {
    CLEANUP_FD int parent = path_open_parent(in, path, &name);
    if (parent < 0) {
      fail_at(in, parent, "make the symlink \"%s\"", path);
      return explain_path(in, in->root, path, parent);
    }
    error = place_symlink(parent, name, target, f[2].u32 != 0);
  }
  return error ? fail_at(in, error, "make the symlink \"%s\" to \"%s\"", path, target) : 0;
}

int op_make_file(struct init *in, const union field *f) {
  const int create = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
  const char *path = f[0].text, *text = f[2].text, *name;
  CLEANUP_FD int parent = path_open_parent(in, path, &name);
  if (parent < 0) {
    fail_at(in, parent, "make the file \"%s\"", path);
    return explain_path(in, in->root, path, parent);
  }
  CLEANUP_FD int fd = (int)RETRY(openat(parent, name, create, 0600));
  long error = fd < 0 ? fd : RETRY(write(fd, text, strlen(text)));
  if (error >= 0)
    error = kernel_result(fchmod(fd, f[1].u32));
  return error < 0 ? fail_at(in, (int)error, "make the file \"%s\"", path) : 0;
}

bool node_matches(const struct node *node, const struct stat *st) {
  return (st->st_mode & S_IFMT) == node->type &&
         (node->type == S_IFIFO || st->st_rdev == node->number);
}

int node_fail(struct init *in, const struct node *node, int error) {
  if (node->type == S_IFIFO)
    return fail_at(in, error, "make the fifo \"%s\"", node->path);
  return fail_at(in, error, "make the %s device %u:%u \"%s\"",
                 node->type == S_IFBLK ? "block" : "character", major(node->number),
                 minor(node->number), node->path);
}

/* Says what is at `path` instead of the node. */
static int node_conflict(struct init *in, const struct node *node, const char *path,
                         const struct stat *st) {
  node_fail(in, node, -EEXIST);
  detail_add(in, ": \"%s\" is %s", path, file_kind(st->st_mode));
  if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
    detail_add(in, " %u:%u", major(st->st_rdev), minor(st->st_rdev));
  return -EEXIST;
}

/* Mode by descriptor; fchmod(2) does not take one that is O_PATH. */
static int set_mode(const struct init *in, int fd, mode_t mode) {
  char name[32];
  int error = (int)kernel_result(syscall(NR_FCHMODAT2, fd, "", mode, AT_EMPTY_PATH));
  if (error != -ENOSYS) /* Linux 6.6 */
    return error;
  snprintf(name, sizeof name, "fd/%d", fd);
  return (int)kernel_result(fchmodat(in->self, name, mode, 0));
}

/*
 * The node's owner and mode are set on what was verified to be the node just made. -EAGAIN: another
 * container on the same root filesystem has been quicker.
 */
int node_make(struct init *in, const struct node *node, int parent, const char *name) {
  mode_t mask = umask(0);
  int error = (int)kernel_result(mknodat(parent, name, node->type | node->mode, node->number));
  umask(mask);
  if (error)
    return error == -EEXIST ? -EAGAIN : error;
  CLEANUP_FD int fd = (int)RETRY(openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (fd == -ENOENT)
    return -EAGAIN;
  if (fd < 0 || fstat(fd, &st) != 0)
    return fd < 0 ? fd : -errno;
  if (!node_matches(node, &st))
    return node_conflict(in, node, node->path, &st);
  if ((st.st_uid != node->uid || st.st_gid != node->gid) &&
      (fchownat(fd, "", node->uid, node->gid, AT_EMPTY_PATH) != 0 || fstat(fd, &st) != 0))
    return -errno;
  return (st.st_mode & 07777) == node->mode ? 0 : set_mode(in, fd, node->mode);
}

/* An empty file to mount on. One that is there may be the mount point of an earlier run. */
static int open_mount_point(struct init *in, const struct node *node, int parent,
                            const char *name) {
  const int create = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
  mode_t mask = umask(0);
  int fd = (int)RETRY(openat(parent, name, create, 0644));
  umask(mask);
  if (fd >= 0)
    close(fd);
  else if (fd != -EEXIST)
    return fd;
  fd = (int)RETRY(openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
    return fd == -ENOENT ? -EAGAIN : fd;
  close(fd);
  if (node_matches(node, &st)) /* made in its place meanwhile */
    return -EAGAIN;
  return node_conflict(in, node, node->path, &st);
}

/* What the configuration says of the node, and the host's has not. */
static int check_given(struct init *in, const struct node *node, const struct stat *st) {
  const unsigned mode = st->st_mode & 07777;
  if (node->given & GIVEN_MODE && mode != node->mode) {
    node_fail(in, node, -EPERM);
    detail_add(in, ": the host's node is all there is, and has mode %04o instead of %04o", mode,
               (unsigned)node->mode);
  } else if ((node->given & GIVEN_UID && st->st_uid != node->uid) ||
             (node->given & GIVEN_GID && st->st_gid != node->gid)) {
    node_fail(in, node, -EPERM);
    detail_add(in, ": the host's node is all there is, and belongs to %u:%u instead of %u:%u here",
               st->st_uid, st->st_gid, node->uid, node->gid);
  } else {
    return 0;
  }
  return -EPERM;
}

/* A mount of the host's node. */
static int open_host_node(struct init *in, const struct node *node) {
  struct kernel_mount_attr attr = {.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
  struct stat st;
  int tree = kernel_open_tree(AT_FDCWD, node->source, OPEN_TREE_CLONE);
  if (tree < 0) {
    node_fail(in, node, tree);
    explain_path(in, -1, node->source, tree);
    detail_add(in, " on the host");
    return tree;
  }
  int error = fstat(tree, &st) == 0 ? 0 : -errno;
  if (error == 0 && !node_matches(node, &st)) {
    error = node_conflict(in, node, node->source, &st);
    detail_add(in, " on the host");
  }
  if (error == 0)
    error = check_given(in, node, &st);
  if (error == 0)
    error = kernel_mount_setattr(tree, 0, &attr);
  if (error == 0)
    return tree;
  close(tree);
  return error;
}

static int bind_node(struct init *in, const struct node *node, int parent, const char *name) {
  const bool made =
      node->slot >= 0 && (uint32_t)node->slot < in->slot_count && in->slots[node->slot] >= 0;
  CLEANUP_FD int tree = made ? in->slots[node->slot] : open_host_node(in, node);
  if (made)
    in->slots[node->slot] = -1;
  if (tree < 0)
    return tree;
  CLEANUP_FD int target = open_mount_point(in, node, parent, name);
  return target < 0 ? target : kernel_move_mount(tree, target);
}

/* Files there look empty, and must not be covered. */
static bool lies_in_kernel(int fd) {
  struct statfs fs;
  return fstatfs(fd, &fs) == 0 && (fs.f_type == MAGIC_PROC || fs.f_type == MAGIC_SYSFS);
}

/* -EAGAIN, -ENOENT: what was looked at has changed, or its directory has gone. */
static int try_to_place_node(struct init *in, const struct node *node, enum node_source how) {
  const char *name;
  struct stat st;
  CLEANUP_FD int parent = path_open_parent(in, node->path, &name);
  if (parent < 0) {
    node_fail(in, node, parent);
    return explain_path(in, in->root, node->path, parent);
  }
  if (lies_in_kernel(parent)) {
    node_fail(in, node, -EXDEV);
    detail_add(in, ": it would lie in procfs or sysfs");
    return -EXDEV;
  }
  if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    if (node_matches(node, &st))
      return 0;
    if (how == NODE_MAKE || !S_ISREG(st.st_mode) || st.st_size > 0)
      return node_conflict(in, node, node->path, &st);
    return bind_node(in, node, parent, name);
  }
  if (how == NODE_BIND)
    return bind_node(in, node, parent, name);
  int error = node_make(in, node, parent, name);
  if (error == -EPERM && how == NODE_EITHER)
    return bind_node(in, node, parent, name);
  return error;
}

static int place_node(struct init *in, const struct node *node, enum node_source how) {
  int error = -EAGAIN;
  in->detail_length = 0; /* there is one for what cannot be tried again */
  for (int i = 0; i < RACES_MAX && in->detail_length == 0; i++) {
    error = try_to_place_node(in, node, how);
    if (error != -EAGAIN && error != -ENOENT)
      break;
  }
  return error;
}

int op_device(struct init *in, const union field *f) {
  struct node node = {
      .path = f[0].text,
      .type = f[1].u32,
      .mode = f[2].u32 & 07777,
      .number = makedev(f[3].u32, f[4].u32),
      .uid = f[5].u32,
      .gid = f[6].u32,
      .source = f[8].text,
      .given = f[9].u32,
      .slot = f[10].i32,
  };
  int error = place_node(in, &node, (enum node_source)f[7].u32);
  if (error && in->detail_length == 0)
    node_fail(in, &node, error);
  return error;
}

/*
 * Mounts. A source becomes a detached mount, gets its attributes, and is then attached to a
 * descriptor of the mount point, so no path is resolved twice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs.h"

/* Opens what is at the mount point; -ENOENT if there is nothing. */
static int find_destination(struct init *in, const struct mount_request *r) {
  int fd = r->flags & MOUNT_DEST_NOFOLLOW ? path_open_nofollow(in, r->destination, O_PATH)
                                          : path_open(in, r->destination, O_PATH);
  if (fd < 0 || !path_is_redirected(in, r->destination, fd))
    return fd;
  close(fd);
  return -EXDEV;
}

/* Opens the mount point, making it where the request allows. */
static int open_destination(struct init *in, const struct mount_request *r, bool directory) {
  int fd = find_destination(in, r);
  if (fd == -ENOENT && r->create != CREATE_NONE) {
    if (r->create != CREATE_AUTO)
      directory = r->create == CREATE_DIRECTORY;
    if (r->flags & MOUNT_DEST_NOFOLLOW)
      fd = path_make_nofollow(in, r->destination, directory);
    else
      fd = directory ? path_make_directories(in, r->destination)
                     : path_make_file(in, r->destination);
  }
  return fd >= 0 ? fd : mount_point_fail(in, r, fd);
}

/* Sets the propagation of a mount that has its place, and keeps it where that has to be set again. */
static int propagate(struct init *in, const struct mount_request *r, int mount) {
  int error = attributes_propagate(mount, r->propagation, r->propagation_count);
  if (error)
    return mount_fail_because(in, r, error, ": set its propagation");
  if (r->keep < 0 || (uint32_t)r->keep >= in->slot_count)
    return 0;
  int fd = (int)RETRY(fcntl(mount, F_DUPFD_CLOEXEC, 3));
  in->slots[r->keep] = fd;
  return fd < 0 ? mount_fail(in, r, fd) : 0;
}

int op_mount_propagation(struct init *in, const union field *f) {
  CLEANUP_FD int mount = f[0].u32 < in->slot_count ? in->slots[f[0].u32] : -1;
  if (mount < 0)
    return fail_at(in, -EBADF, "set the propagation of a mount: slot %u is empty", f[0].u32);
  in->slots[f[0].u32] = -1;
  int error = attributes_propagate(mount, f[1].data.bytes, f[1].data.count);
  return error ? fail_at(in, error, "set the propagation of a mount") : 0;
}

/* Attaches the tree. A mount over the whole root becomes the root. */
static int attach(struct init *in, const struct mount_request *r, int tree, int destination) {
  bool over_root = same_place(destination, in->root);
  int error = kernel_move_mount(tree, destination);
  if (error)
    return mount_attach_fail(in, r, tree, destination, error);
  error = propagate(in, r, tree);
  if (error || !over_root)
    return error;
  int root = (int)RETRY(fcntl(tree, F_DUPFD_CLOEXEC, 3));
  if (root < 0)
    return mount_fail(in, r, root);
  close(in->root);
  in->root = root;
  return 0;
}

static int apply_attributes(struct init *in, const struct mount_request *r, int mount) {
  const char *locked;
  int error = attributes_apply(mount, r, &locked);
  if (error == 0)
    return 0;
  return mount_attributes_fail(in, r, error, locked);
}

/*
 * The mount point of a new filesystem. For proc and sysfs it has to be a directory by itself: a
 * symlink in the image must not decide where programs find their /proc (CVE-2019-19921).
 */
static int open_fs_destination(struct init *in, const struct mount_request *r, bool *existed) {
  struct mount_request own = *r;
  if (strcmp(r->fstype, "proc") == 0 || strcmp(r->fstype, "sysfs") == 0)
    own.flags |= MOUNT_DEST_NOFOLLOW;
  int fd = find_destination(in, &own);
  *existed = fd >= 0;
  if (fd < 0)
    fd = open_destination(in, &own, true);
  struct stat st = {0};
  if (fd < 0 || (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)))
    return fd;
  close(fd);
  return mount_fail_because(in, r, -ENOTDIR, ": the mount point is %s, not a directory",
                            file_kind(st.st_mode));
}

static bool has_parameter(const char **list, const char *key) {
  size_t length = strlen(key);
  for (; *list; list++)
    if (strncmp(*list, key, length) == 0)
      return true;
  return false;
}

static bool has_flag(const char **list, const char *flag) {
  for (; *list; list++)
    if (strcmp(*list, flag) == 0)
      return true;
  return false;
}

/*
 * Fills a new tmpfs with what its mount point holds, then makes it what the request asks for. The
 * directory itself stays root's, as other runtimes leave it.
 */
static int copy_up(struct init *in, const struct mount_request *r, int tree, int destination) {
  int error = tmpcopyup(destination, tree);
  if (error)
    return mount_fail_because(in, r, error, ": copy what is at the mount point");
  if (!has_flag(r->superblock, "ro"))
    return 0;
  static const char *no_options[] = {NULL};
  struct mount_request flags = *r;
  flags.data = no_options;
  return fs_reconfigure(in, &flags, tree);
}

static int mount_filesystem(struct init *in, const struct mount_request *r) {
  bool existed;
  CLEANUP_FD int destination = open_fs_destination(in, r, &existed);
  if (destination < 0)
    return destination;
  bool copy = existed && r->flags & MOUNT_TMPCOPYUP;
  int root_mode = -1;
  struct stat st;
  if (existed && r->flags & (MOUNT_INHERIT_MODE | MOUNT_TMPCOPYUP) &&
      !has_parameter(r->data, "mode=") && fstat(destination, &st) == 0)
    root_mode = st.st_mode & 07777;
  CLEANUP_FD int tree = fs_create(in, r, root_mode, copy, destination);
  if (tree < 0)
    return tree;
  int error = copy ? copy_up(in, r, tree, destination) : 0;
  struct mount_request rest = *r;
  if (!copy) { /* fsmount(2) has set these */
    rest.attr_set &= ~(uint64_t)FSMOUNT_ATTRIBUTES;
    rest.attr_clear = 0;
  }
  if (error == 0)
    error = apply_attributes(in, &rest, tree);
  return error ? error : attach(in, r, tree, destination);
}

/* A detached clone of what the source is. */
static int open_source(struct init *in, const struct mount_request *r) {
  if (r->slot >= 0) {
    int tree = (uint32_t)r->slot < in->slot_count ? in->slots[r->slot] : -1;
    if (tree < 0)
      return mount_fail_because(in, r, -EBADF, ": slot %d is empty", r->slot);
    in->slots[r->slot] = -1;
    return tree;
  }
  unsigned flags = OPEN_TREE_CLONE;
  flags |= r->kind == MOUNT_RBIND ? AT_RECURSIVE : 0;
  flags |= r->flags & MOUNT_SRC_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
  int tree = kernel_open_tree(AT_FDCWD, r->source, flags);
  if (tree >= 0)
    return tree;
  mount_fail(in, r, tree);
  if (tree != -EINVAL)
    return explain_path(in, -1, r->source, tree);
  CLEANUP_FD int whole = kernel_open_tree(AT_FDCWD, r->source, flags | AT_RECURSIVE);
  if (whole >= 0)
    detail_add(in, ": mounts below the source may not be left out here; use \"rbind\"");
  return tree;
}

/* Makes the symlink that the source is. Gives 1 if the source is something else. */
static int copy_symlink(struct init *in, const struct mount_request *r) {
  char target[PATH_MAX], there[PATH_MAX];
  const char *name;
  long length = kernel_result(readlinkat(AT_FDCWD, r->source, target, sizeof target - 1));
  if (length < 0)
    return 1;
  target[length] = '\0';
  CLEANUP_FD int parent = path_open_parent(in, r->destination, &name);
  if (parent < 0) {
    mount_fail(in, r, parent);
    return explain_path(in, in->root, r->destination, parent);
  }
  int error = (int)kernel_result(symlinkat(target, parent, name));
  if (error == -EEXIST && readlinkat(parent, name, there, sizeof there) == length &&
      memcmp(there, target, (size_t)length) == 0)
    return 0;
  return error ? mount_fail(in, r, error) : 0;
}

static int mount_bind(struct init *in, const struct mount_request *r) {
  if (r->flags & MOUNT_COPY_SYMLINK && r->slot < 0) {
    int copied = copy_symlink(in, r);
    if (copied <= 0)
      return copied;
  }
  CLEANUP_FD int tree = open_source(in, r);
  struct stat st;
  if (tree < 0)
    return tree;
  if (fstat(tree, &st) != 0)
    return mount_fail(in, r, -errno);
  if (r->flags & MOUNT_FROM_PROC && !is_procfs_root(tree))
    return mount_fail_because(in, r, -EINVAL, ": the source is not the root of a procfs");
  CLEANUP_FD int destination = open_destination(in, r, S_ISDIR(st.st_mode));
  if (destination < 0)
    return destination;
  int error = apply_attributes(in, r, tree);
  return error ? error : attach(in, r, tree, destination);
}

static int remount(struct init *in, const struct mount_request *r) {
  CLEANUP_FD int mount = open_destination(in, r, true);
  if (mount < 0)
    return mount;
  int error = 0;
  if (*r->superblock || *r->data)
    error = fs_reconfigure(in, r, mount);
  if (error)
    return error;
  error = apply_attributes(in, r, mount);
  if (error)
    return error;
  return propagate(in, r, mount);
}

static int perform_mount(struct init *in, const struct mount_request *r) {
  switch (r->kind) {
  case MOUNT_FILESYSTEM:
    return mount_filesystem(in, r);
  case MOUNT_BIND:
  case MOUNT_RBIND:
    return mount_bind(in, r);
  case MOUNT_REMOUNT:
    return remount(in, r);
  }
  return fail_at(in, -EINVAL, "mount on \"%s\": kind %u is unknown", r->destination,
                 (unsigned)r->kind);
}

int op_mount(struct init *in, const union field *f) {
  struct mount_request r = mount_request_of(f);
  int error = perform_mount(in, &r);
  if (!(r.flags & MOUNT_OPTIONAL) || (error != -ENOENT && error != -ENOTDIR))
    return error;
  in->detail_length = 0;
  return 0;
}

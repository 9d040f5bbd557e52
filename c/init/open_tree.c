/* What is opened in the host's mount namespace, before the container's is entered. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"

/* The copy that a new mount namespace starts with leaves those mounts out, whoever may see them. */
int op_unpin(struct init *in, const union field *f) {
  (void)f;
  char *mounts = read_text(AT_FDCWD, "/proc/self/mountinfo");
  bool pinned = mounts != NULL && strstr(mounts, " mnt:[") != NULL;
  free(mounts);
  if (pinned && unshare(CLONE_NEWNS) != 0)
    return fail_at(in, -errno, "leave out the mounts that hold a mount namespace");
  return 0;
}

/* Attributes become locked where mounts are copied for a user namespace (mount_namespaces(7)). */
int op_lock_readonly(struct init *in, const union field *f) {
  const char *path = f[0].text;
  struct kernel_mount_attr attr = {.set = MOUNT_ATTR_RDONLY};
  if (unshare(CLONE_NEWNS) != 0)
    return fail_at(in, -errno, "lock \"%s\": leave the mount namespace", path);
  CLEANUP_FD int mount = (int)RETRY(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  int error = mount < 0 ? mount : kernel_mount_setattr(mount, AT_RECURSIVE, &attr);
  return error ? fail_at(in, error, "make \"%s\" read-only", path) : 0;
}

/* Gives the tree the id maps of a user namespace. */
static int map_ids(struct init *in, const char *source, int tree, int idmap, unsigned flags) {
  const int userns = (uint32_t)idmap < in->slot_count ? in->slots[idmap] : -1;
  if (userns < 0)
    return fail_at(in, -EBADF, "map the ids of \"%s\": slot %d is empty", source, idmap);
  struct kernel_mount_attr attr = {.set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};
  int error = kernel_mount_setattr(tree, flags, &attr);
  if (error == 0)
    return 0;
  fail_at(in, error, "map the ids of \"%s\"", source);
  if (error == -EINVAL)
    detail_add(in, ": its filesystem cannot do that");
  return error;
}

/*
 * What is opened here comes from the host's mount namespace. As a slave it keeps to itself what
 * is mounted on it, as the mounts do that a new namespace copies.
 */
int op_open_tree(struct init *in, const union field *f) {
  const char *source = f[1].text;
  const int idmap = f[4].i32;
  struct kernel_mount_attr slave = {.propagation = MS_SLAVE};
  unsigned flags = OPEN_TREE_CLONE;
  flags |= f[2].u32 != TREE_TOP ? AT_RECURSIVE : 0;
  flags |= f[3].u32 ? AT_SYMLINK_NOFOLLOW : 0;
  if (f[0].u32 >= in->slot_count)
    return fail_at(in, -EBADF, "open the bind source \"%s\": no slot %u", source, f[0].u32);
  int tree = kernel_open_tree(AT_FDCWD, source, flags);
  if (tree < 0) {
    fail_at(in, tree, "open the bind source \"%s\"", source);
    return explain_path(in, -1, source, tree);
  }
  int error = kernel_mount_setattr(tree, AT_RECURSIVE, &slave);
  if (error)
    fail_at(in, error, "keep the mounts on \"%s\" from the host", source);
  else if (idmap >= 0)
    error = map_ids(in, source, tree, idmap, f[2].u32 == TREE_MAPPED ? AT_RECURSIVE : 0);
  if (error)
    close(tree);
  else
    in->slots[f[0].u32] = tree;
  return error;
}

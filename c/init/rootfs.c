/* The root filesystem: making it a mount, entering it, making it read-only. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "fs.h"

/* Takes the tree from its slot, or clones what is at the path. */
static int open_root_tree(struct init *in, const char *path, int slot) {
  if (slot < 0)
    return kernel_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
  if ((uint32_t)slot >= in->slot_count || in->slots[slot] < 0)
    return -EBADF;
  int tree = in->slots[slot];
  in->slots[slot] = -1;
  return tree;
}

static int root_fail(struct init *in, const char *path, const char *step, int error) {
  return fail_at(in, error, "root filesystem \"%s\"%s", path, step);
}

/*
 * Where the root filesystem is attached: on itself. The root of a user namespace need not be able
 * to reach that; with a tree that was opened before, "/" does as well.
 */
static int open_root_target(struct init *in, const char *path, int slot) {
  int target = (int)RETRY(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (target == -EACCES && slot >= 0)
    target = (int)RETRY(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (target >= 0)
    return target;
  root_fail(in, path, "", target);
  return explain_path(in, -1, path, target);
}

static void set_root(struct init *in, int root) {
  if (in->root >= 0)
    close(in->root);
  in->root = root;
}

int op_rootfs(struct init *in, const union field *f) {
  const char *path = f[0].text;
  const uint32_t bind = f[1].u32;
  int target = open_root_target(in, path, f[2].i32);
  if (target < 0)
    return target;
  if (bind == ROOT_UNBOUND) {
    set_root(in, target);
    return 0;
  }
  const bool private = bind == ROOT_BOUND_PRIVATE;
  struct kernel_mount_attr attr = {.propagation = private ? MS_PRIVATE : MS_SLAVE};
  int error = bind == ROOT_BOUND_ALONE ? 0 : detach_mount_of(target, (unsigned)attr.propagation);
  int tree = error ? error : open_root_tree(in, path, f[2].i32);
  if (tree >= 0) {
    error = kernel_move_mount(tree, target);
    if (error == 0)
      error = kernel_mount_setattr(tree, private ? AT_RECURSIVE : 0, &attr);
    if (error)
      close(tree);
  }
  close(target);
  if (error || tree < 0)
    return root_fail(in, path, ": bind it to itself", error ? error : tree);
  set_root(in, tree);
  return 0;
}

int op_readonly_root(struct init *in, const union field *f) {
  (void)f;
  struct kernel_mount_attr attr = {.set = MOUNT_ATTR_RDONLY};
  int error = kernel_mount_setattr(in->root, 0, &attr);
  return error ? fail_at(in, error, "make the root filesystem read-only") : 0;
}

/*
 * With "." for both arguments the old root comes to lie on the new one, so no directory is needed
 * for it. It is unmounted as a slave: the host must not see that.
 */
static int pivot(struct init *in) {
  CLEANUP_FD int old = (int)RETRY(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (old < 0)
    return fail_at(in, old, "open the old root");
  if (fchdir(in->root) != 0)
    return fail_at(in, -errno, "enter the root filesystem");
  long error = kernel_result(syscall(SYS_pivot_root, ".", "."));
  if (error)
    return fail_at(in, (int)error, "pivot_root into the root filesystem");
  if (fchdir(old) != 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) != 0)
    return fail_at(in, -errno, "keep the unmounting of the old root from the host");
  if (umount2(".", MNT_DETACH) != 0)
    return fail_at(in, -errno, "unmount the old root");
  return 0;
}

int op_enter_root(struct init *in, const union field *f) {
  int error = 0;
  if (in->root < 0)
    return fail_at(in, -EBADF, "enter the root filesystem: there is none yet");
  switch (f[0].u32) {
  case ENTER_PIVOT:
    error = pivot(in);
    break;
  case ENTER_MOVE:
    error = move_root(in);
    break;
  case ENTER_CHROOT:
    if (fchdir(in->root) != 0 || chroot(".") != 0)
      error = fail_at(in, -errno, "chroot into the root filesystem");
    break;
  default:
    return fail_at(in, -EINVAL, "enter the root filesystem: method %u is unknown", f[0].u32);
  }
  if (error)
    return error;
  return chdir("/") == 0 ? 0 : fail_at(in, -errno, "enter \"/\"");
}

/*
 * Device nodes for a container with a user namespace. Nodes on what is mounted in there do not work,
 * so they are made before, on a tmpfs of the host's user namespace, and come in as bind mounts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fs.h"

#define STORE_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

static void slot_name(uint32_t slot, char name[16]) {
  snprintf(name, 16, "%u", slot);
}

/* The filesystem of the nodes, which is nowhere attached. */
static int make_store(const char *label) {
  CLEANUP_FD int context = kernel_fsopen("tmpfs");
  if (context < 0)
    return context;
  int error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755");
  if (error == 0 && *label)
    error = kernel_fsconfig(context, FSCONFIG_SET_STRING, "context", label);
  if (error == 0)
    error = kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
  return error ? error : kernel_fsmount(context, STORE_ATTRIBUTES);
}

int op_make_node(struct init *in, const union field *f) {
  const uint32_t store = f[0].u32, userns = (uint32_t)f[9].i32;
  struct node node = {
      .path = f[2].text,
      .type = f[3].u32,
      .mode = f[4].u32 & 07777,
      .number = makedev(f[5].u32, f[6].u32),
      .uid = f[7].u32,
      .gid = f[8].u32,
  };
  char name[16];
  if (store >= in->slot_count)
    return node_fail(in, &node, -EBADF);
  int error =
      userns < in->slot_count ? ids_of_host(in, in->slots[userns], &node.uid, &node.gid) : 0;
  if (error) {
    node_fail(in, &node, error);
    if (error == -EINVAL)
      detail_add(in, ": the user namespace has no uid %u or no gid %u", f[7].u32, f[8].u32);
    return error;
  }
  if (in->slots[store] < 0) {
    int made = make_store(f[10].text);
    if (made == -EPERM)
      return 0;
    if (made < 0)
      return node_fail(in, &node, made);
    in->slots[store] = made;
  }
  slot_name(f[1].u32, name);
  error = node_make(in, &node, in->slots[store], name);
  return error == 0 || error == -EPERM ? 0 : node_fail(in, &node, error);
}

/* Only what is attached can be cloned, before Linux 6.15. Its place for that moment is the root. */
static int attach_store(struct init *in, int store) {
  int error = kernel_move_mount(store, in->root);
  return error ? fail_at(in, error, "attach the filesystem of the device nodes") : 0;
}

/* The container's root may have no way back to the working directory; procfs names the mount then. */
static int detach_store(struct init *in, int store) {
  char path[32];
  CLEANUP_FD int cwd = (int)kernel_result(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  snprintf(path, sizeof path, "/proc/self/fd/%d", store);
  const bool there = cwd >= 0 && fchdir(store) == 0;
  if (umount2(there ? "." : path, MNT_DETACH) == 0 && (!there || fchdir(cwd) == 0))
    return 0;
  return fail_at(in, -errno, "detach the filesystem of the device nodes");
}

int op_open_nodes(struct init *in, const union field *f) {
  const uint32_t slot = f[0].u32;
  if (slot >= in->slot_count || in->slots[slot] < 0)
    return 0; /* no node could be made */
  CLEANUP_FD int store = in->slots[slot];
  in->slots[slot] = -1;
  int error = attach_store(in, store);
  for (uint32_t i = 0; i < f[1].data.count && error == 0; i++) {
    char name[16];
    const uint32_t node = data_u32(&f[1], i);
    slot_name(node, name);
    int tree = node < in->slot_count ? kernel_open_tree(store, name, OPEN_TREE_CLONE) : -EBADF;
    if (tree >= 0)
      in->slots[node] = tree;
    else if (tree != -ENOENT)
      error = fail_at(in, tree, "open a device node");
  }
  return error ? error : detach_store(in, store);
}

/*
 * The operations of a plan, as lib/wire/ops.ts states them: name, number, fields in wire order.
 * s text, S list of texts, u uint32, i int32, U uint64, I int64, V list of uint32, b bytes.
 */
#ifndef RUNTS_OPS_H
#define RUNTS_OPS_H

#include <stdint.h>

#define RUNTS_OPS(X)               \
  X(write_file, 1, "ssU")          \
  X(open_ns, 10, "uus")            \
  X(setns, 11, "uuu")              \
  X(unshare, 12, "u")              \
  X(clone, 13, "ui")               \
  X(join_cgroup, 14, "u")          \
  X(sync, 15, "u")                 \
  X(tell, 86, "u")                 \
  X(setsid, 16, "")                \
  X(hostname, 17, "s")             \
  X(domainname, 18, "s")           \
  X(loopback_up, 19, "")           \
  X(dumpable, 20, "u")             \
  X(propagation, 30, "su")         \
  X(rootfs, 31, "sui")             \
  X(open_tree, 32, "usuui")        \
  X(mount, 33, "usissSSUUUUUVuui") \
  X(mkdir, 34, "su")               \
  X(symlink, 35, "ssu")            \
  X(device, 36, "suuuuuuusui")     \
  X(mask, 37, "ss")                \
  X(readonly, 38, "s")             \
  X(readonly_root, 39, "")         \
  X(enter_root, 40, "u")           \
  X(console, 41, "uuuuu")          \
  X(mount_propagation, 42, "uV")   \
  X(unpin, 43, "")                 \
  X(make_node, 44, "uusuuuuuuis")  \
  X(open_nodes, 45, "uV")          \
  X(lock_readonly, 46, "s")        \
  X(tty, 47, "uSuuuu")             \
  X(unmount, 48, "s")              \
  X(make_file, 49, "sus")          \
  X(hook, 50, "susSSuuiiu")        \
  X(hook_state, 51, "u")           \
  X(hook_limit, 52, "uUU")         \
  X(keyring, 60, "s")              \
  X(rlimit, 61, "uUUu")            \
  X(label, 62, "sss")              \
  X(no_new_privs, 63, "")          \
  X(personality, 64, "u")          \
  X(scheduler, 65, "uUiuUUU")      \
  X(ioprio, 66, "u")               \
  X(mempolicy, 67, "ub")           \
  X(affinity, 68, "b")             \
  X(umask, 69, "u")                \
  X(set_ids, 70, "uuVu")           \
  X(stdio_owner, 80, "u")          \
  X(streams, 81, "u")              \
  X(keep_caps, 71, "u")            \
  X(bounding, 72, "U")             \
  X(caps, 73, "UUUU")              \
  X(chdir, 74, "suu")              \
  X(seccomp, 75, "ubu")            \
  X(close_fds, 76, "u")            \
  X(find_program, 77, "ss")        \
  X(wait_start, 78, "uu")          \
  X(parent_death, 82, "u")         \
  X(sched_core, 84, "")            \
  X(reaper, 83, "")                \
  X(inherit, 85, "V")              \
  X(exec, 79, "SSIu")

#define PLAN_MAGIC 0x4e4c5052u /* "RPLN" */
#define BUILD_ID_LENGTH 32     /* hexadecimal digits; RUNTS_BUILD_ID has them */
#define PLAN_MAX (64u * 1024 * 1024)
#define SLOTS_MAX 1024

enum op_code {
#define X(name, code, fields) OP_##name = code,
  RUNTS_OPS(X)
#undef X
};

enum mount_kind { MOUNT_FILESYSTEM, MOUNT_BIND, MOUNT_RBIND, MOUNT_REMOUNT };
enum create_kind { CREATE_NONE, CREATE_DIRECTORY, CREATE_AUTO };
enum tree_extent { TREE_TOP, TREE_WHOLE, TREE_MAPPED };
enum root_bind { ROOT_UNBOUND, ROOT_BOUND, ROOT_BOUND_ALONE, ROOT_BOUND_PRIVATE };
enum enter_method { ENTER_PIVOT, ENTER_MOVE, ENTER_CHROOT };
enum limit_raise { RAISE_NONE, RAISE_HARD, RAISE_BOTH };
enum node_source { NODE_MAKE, NODE_BIND, NODE_EITHER };
enum node_given { GIVEN_MODE = 1, GIVEN_UID = 2, GIVEN_GID = 4 };

/* Bits of the flags of a mount. */
enum mount_flag {
  MOUNT_TMPCOPYUP = 1,
  MOUNT_DEST_NOFOLLOW = 2,
  MOUNT_SRC_NOFOLLOW = 4,
  MOUNT_COPY_SYMLINK = 8,
  MOUNT_INHERIT_MODE = 16,
  MOUNT_KEEP_LOCKED = 32,
  MOUNT_FROM_PROC = 64,
  MOUNT_OPTIONAL = 128,
};

/* What begins a plan. */
struct plan_header {
  uint32_t magic;
  char build_id[BUILD_ID_LENGTH];
  uint32_t length; /* of the whole plan */
  uint32_t count;
};

#endif

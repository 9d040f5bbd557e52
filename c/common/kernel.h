/*
 * The kernel's interface as all C parts use it: retrying and the clock (retry.h), descriptors that
 * close themselves, and what libc headers may lack: numbers of system calls, the mount API, openat2
 * and statx with their constants, as of Linux 5.12. Numbers from 424 on are the same on every architecture.
 * Every wrapper gives its value or -errno.
 */
#ifndef RUNTS_KERNEL_H
#define RUNTS_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "retry.h"

#define NR_PIDFD_SEND_SIGNAL 424
#define NR_OPEN_TREE 428
#define NR_MOVE_MOUNT 429
#define NR_FSOPEN 430
#define NR_FSCONFIG 431
#define NR_FSMOUNT 432
#define NR_FSPICK 433
#define NR_PIDFD_OPEN 434
#define NR_CLOSE_RANGE 436
#define NR_OPENAT2 437
#define NR_PIDFD_GETFD 438
#define NR_FACCESSAT2 439
#define NR_MOUNT_SETATTR 442
#define NR_FCHMODAT2 452

/* Closes the descriptor at the end of the scope; a negative number is none. */
static inline void fd_cleanup(const int *fd) {
  if (*fd >= 0)
    close(*fd);
}
#define CLEANUP_FD __attribute__((cleanup(fd_cleanup)))

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x04
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#endif
#ifndef FSOPEN_CLOEXEC
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSPICK_CLOEXEC 1
#define FSPICK_EMPTY_PATH 8
#endif
#ifndef FSCONFIG_SET_FLAG
#define FSCONFIG_SET_FLAG 0
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define FSCONFIG_CMD_RECONFIGURE 7
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x01
#define MOUNT_ATTR_NOSUID 0x02
#define MOUNT_ATTR_NODEV 0x04
#define MOUNT_ATTR_NOEXEC 0x08
#define MOUNT_ATTR__ATIME 0x70
#define MOUNT_ATTR_NOATIME 0x10
#define MOUNT_ATTR_STRICTATIME 0x20
#define MOUNT_ATTR_NODIRATIME 0x80
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

#ifndef RESOLVE_NO_XDEV
#define RESOLVE_NO_XDEV 0x01
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS 0x04
#define RESOLVE_BENEATH 0x08
#define RESOLVE_IN_ROOT 0x10
#endif

#define KERNEL_STATX_INO 0x0100
#define KERNEL_STATX_MNT_ID 0x1000 /* Linux 5.8 */

/* Filesystem types, as statfs(2) gives them. */
#define MAGIC_DEVPTS 0x1cd1
#define MAGIC_PROC 0x9fa0
#define MAGIC_SYSFS 0x62656572
#define MAGIC_TMPFS 0x01021994

/* struct open_how */
struct kernel_open_how {
  uint64_t flags, mode, resolve;
};

/* struct mount_attr, first version */
struct kernel_mount_attr {
  uint64_t set, clear, propagation, userns_fd;
};

/* struct statx: what is used of it has a name. */
struct kernel_statx {
  uint32_t mask, blksize;
  uint64_t attributes;
  uint32_t nlink, uid, gid;
  uint16_t mode, unused0;
  uint64_t ino, size, blocks, attributes_mask;
  uint8_t times[64];
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t mnt_id;
  uint8_t unused1[104];
};

static inline long kernel_result(long value) {
  return value == -1 ? -(long)errno : value;
}

static inline int kernel_openat2(int at, const char *path, uint64_t flags, uint64_t mode,
                                 uint64_t resolve) {
  struct kernel_open_how how = {flags | O_CLOEXEC, mode, resolve};
  return (int)kernel_result(syscall(NR_OPENAT2, at, path, &how, sizeof how));
}

static inline int kernel_open_tree(int at, const char *path, unsigned flags) {
  return (int)kernel_result(syscall(NR_OPEN_TREE, at, path, flags | O_CLOEXEC));
}

/* Attaches the tree or moves the mount that `from` is open on to what `to` is open on. */
static inline int kernel_move_mount(int from, int to) {
  return (int)kernel_result(
      syscall(NR_MOVE_MOUNT, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static inline int kernel_mount_setattr(int fd, unsigned flags, struct kernel_mount_attr *attr) {
  return (int)kernel_result(
      syscall(NR_MOUNT_SETATTR, fd, "", flags | AT_EMPTY_PATH, attr, sizeof *attr));
}

static inline int kernel_fsopen(const char *type) {
  return (int)kernel_result(syscall(NR_FSOPEN, type, FSOPEN_CLOEXEC));
}

static inline int kernel_fsconfig(int fs, unsigned command, const char *key, const char *value) {
  return (int)kernel_result(syscall(NR_FSCONFIG, fs, command, key, value, 0));
}

static inline int kernel_fsmount(int fs, unsigned attributes) {
  return (int)kernel_result(syscall(NR_FSMOUNT, fs, FSMOUNT_CLOEXEC, attributes));
}

static inline int kernel_fspick(int fd) {
  return (int)kernel_result(syscall(NR_FSPICK, fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

/* `mask`: STATX_* bits, of what is wanted. */
static inline int kernel_statx(int fd, unsigned mask, struct kernel_statx *st) {
  return (int)kernel_result(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, mask, st));
}

#endif

/*
 * What the files on paths, mounts, devices and the console share. All functions that return int
 * give a descriptor or 0, or -errno.
 */
#ifndef RUNTS_FS_H
#define RUNTS_FS_H

#include <stdarg.h>
#include <sys/stat.h>

#include "../common/kernel.h"
#include "init.h"

/*
 * How often something is tried again that others have made, removed or moved meanwhile; openat2(2)
 * gives EAGAIN when a rename or mount elsewhere made `..` uncertain.
 */
#define RACES_MAX 128

/* path.c */
/* As path_make_directories; the last component, if it is missing, gets `mode`. */
int path_make_directory(struct init *in, const char *path, unsigned mode);
/* Opens `path` O_PATH without following a last symlink; makes a directory or file if missing. */
int path_make_nofollow(struct init *in, const char *path, bool directory);
/*
 * Whether a symlink elsewhere led `path`, which was opened as `fd`, into procfs or sysfs. What
 * programs and runtimes trust there must not be covered because an image says so (CVE-2019-16884).
 */
bool path_is_redirected(struct init *in, const char *path, int fd);
/* Whether both descriptors are open on the same file of the same mount. */
bool same_place(int a, int b);
/* The path of what a descriptor is open on, as procfs shows it. */
int fd_real_path(const struct init *in, int fd, char *out, size_t size);

/* procfs.c: the root of a procfs, not something else that was put there. */
bool is_procfs_root(int fd);

/* explain.c */
/* Appends to `in->detail`. */
void detail_add(struct init *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
void detail_add_list(struct init *in, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
/*
 * Appends which element of `path` refuses, and why: `: "/a/b" does not exist`. `root` < 0: a
 * path of the host. Returns `error`, so that callers can `return` it.
 */
int explain_path(struct init *in, int root, const char *path, int error);
/* "a regular file", "a directory", ... */
const char *file_kind(mode_t mode);

/* A device node; what is asked for by the configuration (GIVEN_*) is in `given`. */
struct node {
  const char *path, *source;
  mode_t type, mode;
  dev_t number;
  uid_t uid;
  gid_t gid;
  unsigned given;
  int slot; /* where a mount of it is, or -1 */
};

/* device.c */
bool node_matches(const struct node *node, const struct stat *st);
/* States in `in->detail` which node was to be made; returns `error`. */
int node_fail(struct init *in, const struct node *node, int error);
/* Makes it below the directory `parent`, with its owner and mode. */
int node_make(struct init *in, const struct node *node, int parent, const char *name);

/*
 * id_map.c: puts what the host calls the ids of a user namespace in their place. -EINVAL for one that
 * is not mapped; 0 then stays what it is.
 */
int ids_of_host(struct init *in, int userns, uid_t *uid, gid_t *gid);

/* The fields of a mount, in wire order (lib/wire/ops.ts). */
struct mount_request {
  enum mount_kind kind;
  const char *source;
  int slot;
  const char *destination;
  const char *fstype;
  const char **superblock, **data; /* end in NULL */
  uint64_t attr_set, attr_clear, attr_rest, rec_set, rec_clear;
  const uint8_t *propagation; /* unaligned little-endian uint32 */
  uint32_t propagation_count;
  enum create_kind create;
  uint32_t flags;
  int keep; /* slot, or -1 */
};

/* mount_request.c */
struct mount_request mount_request_of(const union field *fields);

/* mount_fail.c: all state in `in->detail` what was to be mounted where, and return an error. */
int mount_fail(struct init *in, const struct mount_request *request, int error);
/* With the reason behind it. */
int mount_fail_because(struct init *in, const struct mount_request *request, int error,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The mount point cannot be opened. */
int mount_point_fail(struct init *in, const struct mount_request *request, int error);
/*
 * The tree cannot be attached. Of a directory and a file move_mount(2) says EINVAL, mount(2)
 * ENOTDIR, which is what callers look for.
 */
int mount_attach_fail(struct init *in, const struct mount_request *request, int tree,
                      int destination, int error);
/* `locked`: the attribute that the user namespace does not let go, or NULL. */
int mount_attributes_fail(struct init *in, const struct mount_request *request, int error,
                          const char *locked);

/* fscontext.c */
/*
 * Makes a detached mount of a new filesystem. `root_mode` >= 0 becomes the parameter `mode`.
 * With `writable` it is not yet read-only, and has none of the request's attributes.
 * `place`: a directory that mount(2) may use for a moment where fsopen(2) cannot do it.
 */
int fs_create(struct init *in, const struct mount_request *request, int root_mode, bool writable,
              int place);
/* Changes flags and parameters of the superblock of `mount`. */
int fs_reconfigure(struct init *in, const struct mount_request *request, int mount);

/* legacy.c: as fs_create, by mount(2). Leaves the detail alone. */
int legacy_create(const struct mount_request *request, int root_mode, bool writable, int place);

/* attributes.c */
/* Those that fsmount(2) sets. */
#define FSMOUNT_ATTRIBUTES                                                        \
  (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
   MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)
/*
 * Applies attr_* and rec_* of the request to the mount. `*locked`: the option that cannot be had
 * because the user namespace locks its opposite, or NULL.
 */
int attributes_apply(int mount, const struct mount_request *request, const char **locked);
/* Applies the propagation values, one after the other. */
int attributes_propagate(int mount, const uint8_t *propagation, uint32_t count);

/* tmpcopyup.c: copies the content of the directory `from` (O_PATH) into the directory `to`. */
int tmpcopyup(int from, int to);

/*
 * propagation.c: what is attached to or taken from the mount that holds `directory` must stay in this mount
 * namespace, and pivot_root(2) asks for the same. A slave, unlike a private mount, still sees the
 * host's mounts.
 */
int detach_mount_of(int directory, unsigned propagation);

/* chroot.c: reads all of a file of procfs. The caller frees it; NULL with errno set. */
char *read_text(int at, const char *name);
/* chroot.c: moves the root mount over "/" and enters it. */
int move_root(struct init *in);

#endif

/*
 * Devices of memory among the descriptors that the program inherits: /dev/null above all. A node of
 * the host must not come along, for the program could change its mode and owner through /proc/self/fd.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fs.h"

#define MEMORY_MAJOR 1
#define NULL_MINOR 3

static const struct device {
  unsigned minor;
  const char *path;
} devices[] = {
    {NULL_MINOR, "/dev/null"}, {5, "/dev/zero"},    {7, "/dev/full"},
    {8, "/dev/random"},        {9, "/dev/urandom"},
};

/* The device that the descriptor is open on, or NULL. */
static const struct device *device_of(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) != MEMORY_MAJOR)
    return NULL;
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
    if (devices[i].minor == minor(st.st_rdev))
      return &devices[i];
  return NULL;
}

/* Opens for use what was opened O_PATH and looked at. */
static int open_again(const struct init *in, int fd, int flags) {
  char name[32];
  snprintf(name, sizeof name, "fd/%d", fd);
  return (int)RETRY(openat(in->self, name, flags | O_NOCTTY | O_CLOEXEC));
}

/* The container's own node; a link or any other file in its place is left alone. */
static int open_own(struct init *in, const struct device *device, int flags) {
  CLEANUP_FD int place = path_open_nofollow(in, device->path, O_PATH);
  if (place < 0)
    return place;
  if (device_of(place) != device)
    return -ENODEV;
  if (in->self >= 0)
    return open_again(in, place, flags);
  int fd = path_open_nofollow(in, device->path, flags | O_NOCTTY | O_NONBLOCK);
  if (fd < 0 || device_of(fd) == device)
    return fd;
  close(fd);
  return -ENODEV;
}

/* A node in a tmpfs that is mounted nowhere, for a container that has none. */
static int open_private(const struct device *device, int flags) {
  CLEANUP_FD int context = kernel_fsopen("tmpfs");
  int error = context < 0 ? context : kernel_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL);
  if (error)
    return error;
  CLEANUP_FD int tree = kernel_fsmount(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (tree < 0)
    return tree;
  const char *name = device->path + strlen("/dev/");
  mode_t mask = umask(0);
  const dev_t number = makedev(MEMORY_MAJOR, device->minor);
  error = (int)kernel_result(mknodat(tree, name, S_IFCHR | 0666, number));
  umask(mask);
  return error ? error : (int)RETRY(openat(tree, name, flags | O_NOCTTY | O_CLOEXEC));
}

/*
 * Whether the node's mode could be changed by way of the descriptor: who may not, may not set
 * O_NOATIME either (fcntl(2)). The flag does not stay.
 */
static bool may_change(int fd, int flags) {
  if (fcntl(fd, F_SETFL, flags | O_NOATIME) != 0)
    return errno != EPERM;
  fcntl(fd, F_SETFL, flags);
  return true;
}

/* /dev/null is for both, whatever it was opened for: engines write to one that they opened to read. */
static int replace(struct init *in, int fd, bool tolerate) {
  const struct device *device = device_of(fd);
  int former = device ? fcntl(fd, F_GETFL) : -1, kept = fcntl(fd, F_GETFD);
  if (former < 0 || kept < 0)
    return 0;
  int flags = former & O_PATH ? O_PATH : device->minor == NULL_MINOR ? O_RDWR : former & O_ACCMODE;
  CLEANUP_FD int own = open_own(in, device, flags);
  CLEANUP_FD int other = own < 0 ? open_private(device, flags) : -1;
  int node = own >= 0 ? own : other, error = node;
  if (node < 0 && tolerate && !may_change(fd, former))
    return 0;
  if (node >= 0)
    error = (int)RETRY(dup3(node, fd, kept & FD_CLOEXEC ? O_CLOEXEC : 0));
  if (error >= 0)
    return 0;
  return fail_at(in, error,
                 "put the container's \"%s\" in the place of the host's on descriptor %d",
                 device->path, fd);
}

/* The files that startContainer hooks, which the image may bring along, are to write to. */
static int replace_outputs(struct init *in, bool tolerate) {
  int error = 0;
  for (uint32_t i = in->op; i < in->plan.count; i++)
    for (int field = 7; in->plan.ops[i].code == OP_hook && field <= 8 && error == 0; field++) {
      int slot = in->plan.ops[i].field[field].i32;
      if (slot >= 0 && (uint32_t)slot < in->slot_count && in->slots[slot] >= 0)
        error = replace(in, in->slots[slot], tolerate);
    }
  return error;
}

int op_streams(struct init *in, const union field *f) {
  bool borrowed = in->root < 0; /* exec: the namespace's own root */
  if (borrowed)
    in->root = (int)RETRY(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  int error = 0;
  for (int fd = 0; fd < 3 + (int)in->preserved && error == 0; fd++)
    error = replace(in, fd, f[0].u32 == 1);
  if (error == 0)
    error = replace_outputs(in, f[0].u32 == 1);
  if (!borrowed)
    return error;
  if (in->root >= 0)
    close(in->root); /* nothing of it may be reached through /proc/self/fd */
  in->root = -1;
  return error;
}

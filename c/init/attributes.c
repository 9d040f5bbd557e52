/* Attributes and propagation of mounts: mount_setattr(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/statfs.h>

#include "fs.h"

/* Of statfs(2); libc names only some. */
#define ST_FLAG_RDONLY 0x0001
#define ST_FLAG_NOSUID 0x0002
#define ST_FLAG_NODEV 0x0004
#define ST_FLAG_NOEXEC 0x0008

#define ATIME_ATTRIBUTES (MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)

/* The attributes of the mount, among those that a user namespace can find locked. */
static uint64_t lockable_attributes(int mount) {
  struct statfs st;
  if (fstatfs(mount, &st) != 0)
    return 0;
  uint64_t flags = (uint64_t)st.f_flags, attributes = 0;
  attributes |= flags & ST_FLAG_RDONLY ? MOUNT_ATTR_RDONLY : 0;
  attributes |= flags & ST_FLAG_NOSUID ? MOUNT_ATTR_NOSUID : 0;
  attributes |= flags & ST_FLAG_NODEV ? MOUNT_ATTR_NODEV : 0;
  attributes |= flags & ST_FLAG_NOEXEC ? MOUNT_ATTR_NOEXEC : 0;
  return attributes;
}

static int set_attributes(int mount, unsigned flags, uint64_t set, uint64_t clear) {
  struct kernel_mount_attr attr = {.set = set, .clear = clear};
  return set || clear ? kernel_mount_setattr(mount, flags, &attr) : 0;
}

/*
 * The mode of access times is one value in several bits: whoever sets it must clear all of them.
 * With `keep`, attributes that are locked stay as they are.
 */
static int change(int mount, unsigned flags, uint64_t set, uint64_t clear, bool keep) {
  if ((set | clear) & MOUNT_ATTR__ATIME)
    clear |= MOUNT_ATTR__ATIME;
  int error = set_attributes(mount, flags, set, clear);
  if (error != -EPERM || !keep)
    return error;
  uint64_t locked = lockable_attributes(mount);
  if (flags & AT_RECURSIVE) /* mounts below may have more */
    locked = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  error = set_attributes(mount, flags, set, clear & ~locked);
  if (error != -EPERM)
    return error;
  return set_attributes(mount, flags, set & ~(uint64_t)ATIME_ATTRIBUTES,
                        clear & ~(locked | ATIME_ATTRIBUTES));
}

int attributes_apply(int mount, const struct mount_request *r) {
  bool keep = r->flags & MOUNT_KEEP_LOCKED;
  /* A plain option that came after a recursive one has the last word on this mount. */
  int error = change(mount, AT_RECURSIVE, r->rec_set, r->rec_clear, keep);
  return error ? error : change(mount, 0, r->attr_set, r->attr_clear, keep);
}

int attributes_propagate(int mount, const uint8_t *propagation, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t value;
    memcpy(&value, propagation + 4 * i, sizeof value);
    struct kernel_mount_attr attr = {.propagation = value & ~(uint32_t)MS_REC};
    int error = kernel_mount_setattr(mount, value & MS_REC ? AT_RECURSIVE : 0, &attr);
    if (error)
      return error;
  }
  return 0;
}

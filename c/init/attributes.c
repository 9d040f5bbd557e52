/* Attributes and propagation of mounts: mount_setattr(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/statfs.h>

#include "fs.h"

#define ATIME_ATTRIBUTES (MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)
#define OTHER_ATIME "another setting of access times"

/* Flags of statfs(2). */
#define FLAG_NOATIME 0x0400u
#define FLAG_NODIRATIME 0x0800u

/* What a user namespace locks, beside access times, and the option that clears it; of statfs(2). */
static const struct {
  uint64_t attribute;
  unsigned long flag;
  const char *opposite;
} lockable[] = {
    {MOUNT_ATTR_RDONLY, 0x0001, "\"rw\""},
    {MOUNT_ATTR_NOSUID, 0x0002, "\"suid\""},
    {MOUNT_ATTR_NODEV, 0x0004, "\"dev\""},
    {MOUNT_ATTR_NOEXEC, 0x0008, "\"exec\""},
};

static int set_attributes(int mount, unsigned flags, uint64_t set, uint64_t clear) {
  /* The mode of access times is one value in several bits: whoever sets it must clear all. */
  if ((set | clear) & MOUNT_ATTR__ATIME)
    clear |= MOUNT_ATTR__ATIME;
  struct kernel_mount_attr attr = {.set = set, .clear = clear};
  return set || clear ? kernel_mount_setattr(mount, flags, &attr) : 0;
}

static unsigned long flags_of(int mount) {
  struct statfs st;
  return fstatfs(mount, &st) == 0 ? (unsigned long)st.f_flags : 0;
}

/* The option among `clear` whose opposite is among the flags, or NULL. */
static const char *find_opposite(unsigned long flags, uint64_t clear) {
  for (size_t i = 0; i < sizeof lockable / sizeof *lockable; i++)
    if (clear & lockable[i].attribute && flags & lockable[i].flag)
      return lockable[i].opposite;
  return NULL;
}

/* The option that made the kernel say EPERM, as far as the mount tells; mounts below may have more. */
static const char *find_locked(int mount, uint64_t set, uint64_t clear) {
  const char *option = find_opposite(flags_of(mount), clear);
  if (option)
    return option;
  return (set | clear) & ATIME_ATTRIBUTES ? OTHER_ATIME : "clearing one";
}

/*
 * A source that was opened before the user namespace was entered has no locked attributes yet. They
 * are the host's decision all the same, as they are for all that is opened later. (A filesystem that is
 * read-only as a whole takes "rw": nothing is cleared then.)
 */
static bool is_locked(const struct mount_request *r) {
  return r->flags & MOUNT_KEEP_LOCKED && r->slot >= 0 &&
         (r->kind == MOUNT_BIND || r->kind == MOUNT_RBIND);
}

int attributes_apply(int mount, const struct mount_request *r, const char **locked) {
  const uint64_t named = (r->attr_clear & ~r->attr_set) | (r->rec_clear & ~r->rec_set);
  const unsigned long before = is_locked(r) ? flags_of(mount) : 0;
  *locked = NULL;
  /* A plain option that came after a recursive one has the last word on this mount. */
  int error = set_attributes(mount, AT_RECURSIVE, r->rec_set, r->rec_clear);
  uint64_t rest = is_locked(r) ? 0 : r->attr_rest;
  if (error == 0) {
    error = set_attributes(mount, 0, r->attr_set, r->attr_clear | rest);
    if (error == -EPERM && r->flags & MOUNT_KEEP_LOCKED)
      error = set_attributes(mount, 0, r->attr_set, r->attr_clear);
  }
  if (error == -EPERM && r->flags & MOUNT_KEEP_LOCKED)
    *locked = find_locked(mount, r->attr_set | r->rec_set, named);
  if (error || before == 0)
    return error;
  const unsigned long lost = before & ~flags_of(mount);
  *locked = lost & (FLAG_NOATIME | FLAG_NODIRATIME) ? OTHER_ATIME : find_opposite(lost, named);
  return *locked ? -EPERM : 0;
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

/* Mounts of the caller's mount namespace, and what filesystems take. Functions return 0 or a negated errno. */
#ifndef RUNTS_MOUNT_H
#define RUNTS_MOUNT_H

#include <stdint.h>

#include "helper.h"

/* Takes the topmost mount at the path out of the tree; it ends when nobody uses it any more. */
int32_t rts_detach(const char *path);
/*
 * Whether a filesystem takes an option, which nothing is made of; `value` may be NULL. `said` gets the
 * filesystem's own words on what it refuses, or "".
 */
int32_t rts_try_option(const char *type, const char *key, const char *value, char *said,
                       uint32_t size);

/*
 * A descriptor of an overlay that is mounted nowhere: it ends with its last user. `layers`: paths with colons
 * between them, the uppermost first. `upper` and `work`: where changes go; NULL: it is read-only.
 */
int32_t rts_overlay(const char *layers, const char *upper, const char *work);

/* mount(2). */
int32_t rts_mount(const char *source, const char *target, const char *type, uint64_t flags,
                  const char *data);
/* The same with relative paths in the data, from a directory on: a page is all that there may be of it. */
int32_t rts_mount_from(const char *directory, const char *source, const char *target,
                       const char *type, uint64_t flags, const char *data);

#endif

/* Mounts of the caller's mount namespace. Functions return 0 or a negated errno. */
#ifndef RUNTS_MOUNT_H
#define RUNTS_MOUNT_H

#include <stdint.h>

#include "helper.h"

/* Takes the topmost mount at the path out of the tree; it ends when nobody uses it any more. */
int32_t rts_detach(const char *path);

#endif

/* Files and device nodes below a root that somebody else may change: no symlink leads out of it. */
#ifndef RUNTS_NODE_H
#define RUNTS_NODE_H

#include <stdint.h>

#include "helper.h"

/* Opens what is at a path below the root, with O_CLOEXEC. The descriptor, or a negated errno. */
int32_t rts_open_below(const char *root, const char *path, int32_t flags);

/* Makes a node at a path below the root, with the directories that it needs. 0 or a negated errno. */
int32_t rts_node_make(const char *root, const char *path, uint32_t mode, uint64_t device);

/* Removes it; -ENODEV for what is no node of that kind and device. */
int32_t rts_node_remove(const char *root, const char *path, uint32_t mode, uint64_t device);

#endif

/* What starting init takes of memory. */
#ifndef RUNTS_LAUNCH_H
#define RUNTS_LAUNCH_H

#include "../include/ops.h"
#include "spawn.h"

#define CHILD_STACK 16384
#define NUMBER_MAX 12 /* characters of a descriptor, with its NUL */
#define FIRST_OTHER_FD 3

enum { ARG_NAME, ARG_SYNC, ARG_PLAN, ARG_TRACE, ARG_NAMESPACES, ARG_SLOTS };

/* What the child has of us. A mapping of its own, of zeroes. */
struct launch {
  struct launch *next;
  int32_t in_use;     /* 0 once the child has left our memory: the kernel says so */
  struct spawn spawn; /* its lists are the next four */
  int32_t fds[SLOTS_MAX];
  int32_t stdio[FIRST_OTHER_FD];
  int32_t preserved[PRESERVE_MAX];
  uint64_t files[2];
  int sync;  /* init's end of the conversation */
  int first; /* lowest number that init's descriptors may get */
  int32_t placed[FIRST_OTHER_FD + PRESERVE_MAX];
  char *argv[ARG_SLOTS + SLOTS_MAX + 1];
  char numbers[ARG_SLOTS + SLOTS_MAX][NUMBER_MAX];
  _Alignas(16) char stack[CHILD_STACK];
};

/* As spawn_init, in memory that may go once `in_use` is 0. */
int launch_init(struct launch *launch, const struct spawn *spawn, int32_t spawned[SPAWNED_COUNT]);

#endif

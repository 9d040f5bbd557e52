/* Programs that stand for their caller, in namespaces of their own. */
#ifndef RUNTS_PROGRAM_H
#define RUNTS_PROGRAM_H

#include <stdint.h>

#include "helper.h"

enum {
  PROGRAM_USERS =
      1, /* in a new user namespace, as its root: whose maps are written before it goes on */
  PROGRAM_MOUNTS = 2, /* in a new mount namespace, into which mounts of the host still come */
  PROGRAM_VIEW = 4,   /* where something is mounted for it */
};

enum { PROGRAM_PID, PROGRAM_PIDFD, PROGRAM_GO, PROGRAM_REPORT, PROGRAM_COUNT };

/*
 * Makes a process that inherits our standard streams and working directory, and ends when the calling
 * thread does. It goes on when a byte is written to `go`. Then `report` is at its end, or has the errno
 * and the name of the call that failed. `words`: path, argv, environment, and with PROGRAM_VIEW where `view`, a mount
 * that is nowhere else, is to be; each ends in a NUL.
 */
int32_t rts_program_begin(const char *words, uint32_t args, uint32_t env, uint32_t flags,
                          int32_t view, int32_t *made);

#endif

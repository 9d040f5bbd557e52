/* Waiting. */
#ifndef RUNTS_FRONT_WAIT_H
#define RUNTS_FRONT_WAIT_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "syscall.h"

/* For a wait without end. */
#define FOR_EVER (-1)

/* poll(2), which goes on after a stop; how many are ready, or a negative error number. */
static inline long wait_for(struct pollfd *polled, long count, long milliseconds) {
  struct {
    long seconds, nanoseconds;
  } left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  long ready;
  do /* the system call counts down what is left */
    ready = sys6(SYS_PPOLL, (long)polled, count, milliseconds < 0 ? 0 : (long)&left, 0, 0, 0);
  while (ready == -EINTR);
  return ready;
}

static inline void pause_for(long milliseconds) {
  wait_for(NULL, 0, milliseconds);
}

#endif

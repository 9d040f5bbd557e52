/* A container that the front has a record of, as it is now. */
#ifndef RUNTS_FRONT_CONTAINER_H
#define RUNTS_FRONT_CONTAINER_H

#include "record.h"

/* The states that the front can tell; anything else is UNKNOWN. */
enum state { STATE_UNKNOWN, STATE_CREATED, STATE_RUNNING, STATE_STOPPED };

struct container {
  long directory; /* O_PATH */
  const struct prepared *record;
};

/* What /proc/PID/stat says; see lib/state/liveness.ts. */
struct process_stat {
  int is_ended;
  int is_executed;
  uint64_t start_time;
};

/* 0 where there is no such process. */
int read_stat(int pid, struct process_stat *stat);

/* Whether init is there and has not exited. */
int is_alive(const struct prepared *record);

enum state state_of(const struct container *container);

/* A pidfd of the living init; negative where it is gone. */
long open_init(const struct prepared *record);

/* Whether it has ended within that time, in ms. */
int has_ended(long pidfd, long milliseconds);

#endif

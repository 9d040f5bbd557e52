/* Starting init: what the helper library and the monitor share. */
#ifndef RUNTS_SPAWN_H
#define RUNTS_SPAWN_H

#include <stdbool.h>
#include <stdint.h>

#define PRESERVE_MAX 1024

struct spawn {
  int image;          /* init's executable, and its plan: sealed memfds */
  int plan;           /* */
  const int32_t *fds; /* of the slots; -1: none */
  uint32_t count;
  const int32_t *stdio; /* what becomes 0, 1 and 2 */
  uint32_t preserve; /* how many descriptors init inherits from 3 on: those that we have there, */
  const int32_t *preserved; /* or these, unless NULL; -1: none */
  bool trace;
  uint32_t namespaces;   /* that init makes at once (CLONE_NEW*) */
  bool wait;             /* until init is executed */
  int umask;             /* -1: ours */
  const uint64_t *files; /* soft and hard RLIMIT_NOFILE; NULL: ours */
};

enum { SPAWNED_PID, SPAWNED_PIDFD, SPAWNED_SOCKET, SPAWNED_COUNT };

/*
 * Init inherits its standard streams, what is preserved, and copies of `fds` above those; nothing
 * else. `spawned`: its pid and pidfd, and our end of the conversation. Why init could not be executed comes
 * over that, as SYNC_FAILED without an operation, and the process ends with 127. What the lists point
 * at may go when this returns: 0, or -errno, and then nothing is left. Only from the main thread.
 */
int spawn_init(const struct spawn *spawn, int32_t spawned[SPAWNED_COUNT]);

#endif

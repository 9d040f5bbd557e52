#define _GNU_SOURCE 1
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "../common/signals.h"

#define LISTENING 3 /* SD_LISTEN_FDS_START */
#define CLOSE_RANGE_WITH_CLOEXEC 4u

static char *const *take(char **list, const char **words, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    list[i] = (char *)(uintptr_t)*words;
    *words += strlen(*words) + 1;
  }
  list[count] = NULL;
  return list;
}

/* Whatever fails, the descriptors are as they were. */
static int32_t execute(const char *path, char *const *args, char *const *env, int32_t listening) {
  CLEANUP_FD int former = (int)RETRY(fcntl(LISTENING, F_DUPFD_CLOEXEC, LISTENING + 1));
  syscall(NR_CLOSE_RANGE, LISTENING, ~0u, CLOSE_RANGE_WITH_CLOEXEC);
  int result = listening == LISTENING ? (int)RETRY(fcntl(LISTENING, F_SETFD, 0))
                                      : (int)RETRY(dup2(listening, LISTENING));
  if (result < 0)
    return result;
  uint64_t mask = signals_mask(0);
  execve(path, args, env);
  int error = -errno;
  signals_mask(mask);
  if (former >= 0)
    dup3(former, LISTENING, O_CLOEXEC);
  return error;
}

int32_t rts_replace(const char *path, const char *words, uint32_t arguments, uint32_t variables,
                    int32_t listening) {
  char **list = calloc((size_t)arguments + variables + 2, sizeof *list);
  if (!list)
    return -ENOMEM;
  char *const *args = take(list, &words, arguments);
  char *const *env = take(list + arguments + 1, &words, variables);
  int32_t error = execute(path, args, env, listening);
  free(list);
  return error;
}

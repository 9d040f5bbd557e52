/*
 * Starts init. Its executable lies in a memfd that is sealed, so that no container can change it
 * (CVE-2019-5736); the plan lies in another.
 */
#include <errno.h>
#include <unistd.h>

#include "../common/memfd.h"
#include "../common/spawn.h"
#include "../common/stop.h"
#include "../include/ops.h"
#include "monitor.h"

int32_t rts_init_image(void) {
  extern const uint8_t runts_init_start[], runts_init_end[];
  static int image = -1;
  if (image < 0)
    image = sealed_memfd("runts-init", MEMFD_EXECUTABLE, runts_init_start,
                         (size_t)(runts_init_end - runts_init_start));
  return image;
}

int32_t rts_sealed_file(const char *name, const uint8_t *bytes, uint64_t length) {
  return sealed_memfd(name, 0, bytes, length);
}

int32_t rts_spawn(const uint8_t *plan, uint64_t length, const int32_t *fds, uint32_t count,
                  const int32_t *stdio, uint32_t preserve, uint32_t trace, int32_t *spawned) {
  if (count > SLOTS_MAX || length > PLAN_MAX)
    return -E2BIG;
  STOP("@spawn");
  struct spawn spawn = {
      .image = rts_init_image(),
      .fds = fds,
      .count = count,
      .stdio = stdio,
      .preserve = preserve,
      .trace = trace != 0,
      .umask = -1,
  };
  if (spawn.image < 0)
    return spawn.image;
  spawn.plan = sealed_memfd("runts-plan", 0, plan, length);
  if (spawn.plan < 0)
    return spawn.plan;
  int error = spawn_init(&spawn, spawned);
  close(spawn.plan);
  if (error == 0)
    STOP("@spawned");
  return error;
}

#define _GNU_SOURCE 1
#include <time.h>

#include "helper.h"

uint64_t clock_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int clock_left(uint64_t start, int32_t timeout_ms) {
  if (timeout_ms <= 0)
    return timeout_ms < 0 ? -1 : 0;
  uint64_t passed = clock_ms() - start;
  return passed >= (uint64_t)timeout_ms ? 0 : (int)((uint64_t)timeout_ms - passed);
}

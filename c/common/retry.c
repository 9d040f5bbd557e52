#define _GNU_SOURCE 1
#include "retry.h"

#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u

uint64_t now_ns(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

bool is_spinning(uint64_t start, uint64_t turns) {
  return turns > INTERRUPTIONS_MAX && turns - INTERRUPTIONS_MAX > (now_ns() - start) / NS_PER_MS;
}

static int wait_ms(uint64_t deadline) {
  if (deadline == 0)
    return -1;
  uint64_t now = now_ns();
  if (now >= deadline)
    return 0;
  uint64_t ms = (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
  return ms > INT_MAX ? INT_MAX : (int)ms;
}

int poll_until(struct pollfd *polled, unsigned count, uint64_t deadline) {
  uint64_t start = now_ns();
  for (uint64_t turns = 0;; turns++) {
    int timeout = wait_ms(deadline);
    int ready = poll(polled, count, timeout);
    if (ready > 0 || (ready == 0 && timeout == 0))
      return ready;
    if (ready < 0 && errno != EINTR)
      return -errno;
    if (is_spinning(start, turns))
      return ready < 0 ? -EINTR : -EIO;
  }
}

_Noreturn void end_process(int status) {
  syscall(SYS_exit_group, status);
  syscall(SYS_exit, status);
  __builtin_trap();
}

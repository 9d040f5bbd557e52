#define _GNU_SOURCE 1
#include "close.h"

#include <sys/resource.h>

#include "kernel.h"

void close_from(int first) {
  if (syscall(NR_CLOSE_RANGE, (unsigned)first, ~0u, 0) == 0)
    return;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  for (rlim_t fd = (rlim_t)first; fd < limit.rlim_cur; fd++)
    close((int)fd);
}

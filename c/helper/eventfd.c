/* The descriptor through which cgroup v1 tells of events. */
#define _GNU_SOURCE
#include "bpf.h"

#include <errno.h>
#include <sys/eventfd.h>

int32_t rts_eventfd(void) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  return fd < 0 ? -errno : fd;
}

#define _GNU_SOURCE 1
#include "exit_info.h"

#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "raw.h"

/* struct pidfd_info as of Linux 6.15; the kernel fills in no more than this size has. */
struct pidfd_info_v0 {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t ids[11];
  int32_t exit_code;
};

#define GET_INFO _IOWR(0xFF, 11, struct pidfd_info_v0)
#define INFO_EXIT (UINT64_C(1) << 3)

int exit_info(int pidfd, int *status) {
  struct pidfd_info_v0 info = {.mask = INFO_EXIT};
  long result;
  do
    result = sys3(SYS_ioctl, pidfd, (long)GET_INFO, (long)&info);
  while (result == -EINTR);
  if (result < 0)
    return (int)result;
  *status = info.exit_code;
  return (info.mask & INFO_EXIT) != 0;
}

/* Loading a seccomp filter, with or without a listener. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define SECCOMP_MODE_FILTER_OPERATION 1u /* SECCOMP_SET_MODE_FILTER */
#define SECCOMP_NEW_LISTENER (1u << 3)   /* SECCOMP_FILTER_FLAG_NEW_LISTENER */
#define INSTRUCTION_LENGTH 8u            /* struct sock_filter */
#define INSTRUCTIONS_MAX 4096u           /* BPF_MAXINSNS */

/* struct sock_fprog */
struct kernel_filter {
  unsigned short length;
  const void *instructions;
};

/*
 * The listener will get the lowest free descriptor. runts must know it beforehand, for once the
 * filter is loaded a single message about it could itself wait for the listener.
 */
static int announce_listener(struct init *in, int *expected) {
  *expected = fcntl(in->sync >= 0 ? in->sync : STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  if (*expected < 0)
    return fail_at(in, -errno, "find a descriptor for the seccomp listener");
  close(*expected);
  int error = sync_send(in, SYNC_NOTIFY, 0, (uint64_t)*expected, NULL, 0);
  return error == 0 ? sync_wait_go(in) : fail_at(in, error, "announce the seccomp listener");
}

int op_seccomp(struct init *in, const union field *f) {
  uint32_t flags = f[0].u32, length = f[1].data.count;
  bool notify = f[2].u32 == 1;
  if (length % INSTRUCTION_LENGTH || length == 0 || length > INSTRUCTIONS_MAX * INSTRUCTION_LENGTH)
    return fail_at(in, -EINVAL, "a seccomp filter of %u bytes", length);
  struct kernel_filter filter = {(unsigned short)(length / INSTRUCTION_LENGTH), f[1].data.bytes};
  int expected = 0;
  init_release(in);
  if (!find_next(in, OP_hook))
    announce_execution(in);
  if (notify) {
    flags |= SECCOMP_NEW_LISTENER;
    int error = announce_listener(in, &expected);
    if (error != 0)
      return error;
  }
  long result = RETRY(syscall(SYS_seccomp, SECCOMP_MODE_FILTER_OPERATION, flags, &filter));
  if (result < 0)
    return fail_at(in, (int)result, "load the seccomp filter");
  in->filtered = true;
  in->trace = false; /* nothing that is not needed may be called under the filter */
  return result == (notify ? expected : 0)
             ? 0
             : fail_at(in, NO_ERRNO, "the seccomp listener got descriptor %ld instead of %d",
                       result, expected);
}

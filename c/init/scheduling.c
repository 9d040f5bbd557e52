/* Where and when the program runs, and where its memory lies. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

/* ioprio_set(2) */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_PGRP 2

/* prctl(2): a cookie for all threads of this process, which its descendants inherit */
#define SCHED_CORE 62
#define SCHED_CORE_CREATE 1
#define SCHED_CORE_THREAD_GROUP 1

#define ALL_CPUS_LENGTH 1024 /* bytes; the kernel takes as many as it knows */

/* struct sched_attr up to the deadline parameters (SCHED_ATTR_SIZE_VER0) */
struct kernel_sched_attr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

int op_scheduler(struct init *in, const union field *f) {
  struct kernel_sched_attr attr = {
      .size = sizeof attr,
      .policy = f[0].u32,
      .flags = f[1].u64,
      .nice = f[2].i32,
      .priority = f[3].u32,
      .runtime = f[4].u64,
      .deadline = f[5].u64,
      .period = f[6].u64,
  };
  long error = RETRY(syscall(SYS_sched_setattr, 0, &attr, 0));
  return error == 0 ? 0 : fail_at(in, (int)error, "set scheduling policy %u", attr.policy);
}

int op_sched_core(struct init *in, const union field *f) {
  (void)f;
  if (prctl(SCHED_CORE, SCHED_CORE_CREATE, 0, SCHED_CORE_THREAD_GROUP, 0) == 0)
    return 0;
  int error = -errno;
  const char *why = "";
  if (error == -EINVAL)
    why = ": the kernel was built without core scheduling";
  else if (error == -ENODEV)
    why = ": no core of this machine has several threads";
  return fail_at(in, error, "share a core with nobody else%s", why);
}

/* The group is that of the container's processes only once it has been made. */
int op_ioprio(struct init *in, const union field *f) {
  int who = getpgrp() == getpid() ? IOPRIO_WHO_PGRP : IOPRIO_WHO_PROCESS;
  long error = RETRY(syscall(SYS_ioprio_set, who, 0, f[0].u32));
  return error == 0 ? 0 : fail_at(in, (int)error, "set I/O priority 0x%x", f[0].u32);
}

/* The plan's bytes as the array of longs that the kernel reads; NULL if there is no memory. */
static unsigned long *to_longs(const union field *f, size_t *count) {
  *count = (f->data.count + sizeof(long) - 1) / sizeof(long);
  unsigned long *longs = calloc(*count + 1, sizeof *longs);
  if (longs)
    memcpy(longs, f->data.bytes, f->data.count);
  return longs;
}

int op_mempolicy(struct init *in, const union field *f) {
  size_t count;
  unsigned long *nodes = to_longs(&f[1], &count);
  if (!nodes)
    return -ENOMEM;
  /* The kernel takes one bit less than it is told. */
  unsigned long bits = count == 0 ? 0 : count * sizeof(long) * 8 + 1;
  long error = RETRY(syscall(SYS_set_mempolicy, f[0].u32, bits ? nodes : NULL, bits));
  free(nodes);
  return error == 0 ? 0 : fail_at(in, (int)error, "set memory policy 0x%x", f[0].u32);
}

int op_affinity(struct init *in, const union field *f) {
  size_t count = ALL_CPUS_LENGTH / sizeof(long);
  unsigned long *cpus = f[0].data.count ? to_longs(&f[0], &count) : malloc(ALL_CPUS_LENGTH);
  if (!cpus)
    return -ENOMEM;
  bool all = f[0].data.count == 0;
  if (all)
    memset(cpus, 0xff, ALL_CPUS_LENGTH);
  long error = RETRY(syscall(SYS_sched_setaffinity, 0, count * sizeof *cpus, cpus));
  free(cpus);
  if (error >= 0)
    return 0;
  if (!all)
    return fail_at(in, (int)error, "set the CPU affinity");
  warn_at(in, (int)error, "reset the CPU affinity");
  return 0;
}

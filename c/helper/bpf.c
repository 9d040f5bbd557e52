/* Device programs of cgroup v2; there is no wrapper of bpf(2) in the C library. */
#define _GNU_SOURCE
#include "bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/retry.h"

static int32_t call(int command, union bpf_attr *attr) {
  long result;
  int turns = 0;

  do
    result = syscall(SYS_bpf, command, attr, sizeof(*attr));
  while (result < 0 && (errno == EINTR || errno == EAGAIN) && ++turns < INTERRUPTIONS_MAX);
  return result < 0 ? -errno : (int32_t)result;
}

/* Before Linux 5.11 programs count as locked memory: the limit is lifted for the call. */
static int32_t load_unlimited(union bpf_attr *attr) {
  struct rlimit former, lifted = {RLIM_INFINITY, RLIM_INFINITY};
  int32_t result;

  if (getrlimit(RLIMIT_MEMLOCK, &former) < 0)
    return -errno;
  lifted.rlim_cur = lifted.rlim_max;
  if (setrlimit(RLIMIT_MEMLOCK, &lifted) < 0) {
    lifted = former;
    lifted.rlim_cur = former.rlim_max;
    if (setrlimit(RLIMIT_MEMLOCK, &lifted) < 0)
      return -EPERM;
  }
  result = call(BPF_PROG_LOAD, attr);
  setrlimit(RLIMIT_MEMLOCK, &former);
  return result;
}

static int32_t load(union bpf_attr *attr) {
  int32_t result = call(BPF_PROG_LOAD, attr);

  return result == -EPERM ? load_unlimited(attr) : result;
}

int32_t rts_bpf_load(const uint8_t *insns, uint32_t count, const char *name, char *log,
                     uint32_t log_size) {
  union bpf_attr attr;
  int32_t result;

  memset(&attr, 0, sizeof(attr));
  attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attr.insns = (uintptr_t)insns;
  attr.insn_cnt = count;
  attr.license = (uintptr_t) "MIT";
  strncpy(attr.prog_name, name, RTS_BPF_NAME - 1);
  result = load(&attr);
  if (result >= 0 || result == -EPERM || log_size == 0)
    return result;
  /* Once more for the log: asking for it always would cost a page of text every time. */
  attr.log_level = 1;
  attr.log_buf = (uintptr_t)log;
  attr.log_size = log_size;
  return load(&attr);
}

int32_t rts_bpf_attach(int32_t cgroup, int32_t program, int32_t replaced) {
  union bpf_attr attr;

  memset(&attr, 0, sizeof(attr));
  attr.target_fd = (uint32_t)cgroup;
  attr.attach_bpf_fd = (uint32_t)program;
  attr.attach_type = BPF_CGROUP_DEVICE;
  attr.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced >= 0) {
    attr.attach_flags |= BPF_F_REPLACE;
    attr.replace_bpf_fd = (uint32_t)replaced;
  }
  return call(BPF_PROG_ATTACH, &attr);
}

int32_t rts_bpf_detach(int32_t cgroup, int32_t program) {
  union bpf_attr attr;

  memset(&attr, 0, sizeof(attr));
  attr.target_fd = (uint32_t)cgroup;
  attr.attach_bpf_fd = (uint32_t)program;
  attr.attach_type = BPF_CGROUP_DEVICE;
  return call(BPF_PROG_DETACH, &attr);
}

int32_t rts_bpf_query(int32_t cgroup, uint32_t *ids, uint32_t capacity) {
  union bpf_attr attr;
  int32_t result;

  memset(&attr, 0, sizeof(attr));
  attr.query.target_fd = (uint32_t)cgroup;
  attr.query.attach_type = BPF_CGROUP_DEVICE;
  attr.query.prog_ids = (uintptr_t)ids;
  attr.query.prog_cnt = capacity;
  result = call(BPF_PROG_QUERY, &attr);
  return result < 0 ? result : (int32_t)attr.query.prog_cnt;
}

int32_t rts_bpf_open(uint32_t id) {
  union bpf_attr attr;

  memset(&attr, 0, sizeof(attr));
  attr.prog_id = id;
  return call(BPF_PROG_GET_FD_BY_ID, &attr);
}

int32_t rts_bpf_name(int32_t program, char *name) {
  struct bpf_prog_info info;
  union bpf_attr attr;
  int32_t result;

  memset(&attr, 0, sizeof(attr));
  memset(&info, 0, sizeof(info));
  attr.info.bpf_fd = (uint32_t)program;
  attr.info.info = (uintptr_t)&info;
  attr.info.info_len = sizeof(info);
  result = call(BPF_OBJ_GET_INFO_BY_FD, &attr);
  if (result < 0)
    return result;
  memcpy(name, info.name, RTS_BPF_NAME);
  return 0;
}

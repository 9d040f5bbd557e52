/* Small seccomp filters for tests. */
#ifndef TEST_FILTER_H
#define TEST_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "plan.h"

/* One system call gets the action, all others are allowed. */
#define FILTER(number, action)                                                            \
  {                                                                                       \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),                \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, (action)), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)                                      \
  }

/* From here on the system call fails with the error. */
static inline void plan_deny(struct plan_bytes *p, uint32_t number, uint32_t error) {
  struct sock_filter filter[] = FILTER(number, SECCOMP_RET_ERRNO | error);
  plan_add(p, OP_seccomp, 0u, (uint32_t)sizeof filter, filter, 0u);
}

#endif

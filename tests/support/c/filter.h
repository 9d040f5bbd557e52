/* Small seccomp filters for tests. */
#ifndef TEST_FILTER_H
#define TEST_FILTER_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan.h"
#include "test.h"

/* One system call gets the action, all others are allowed. */
#define FILTER(number, action)                                                                    \
  {                                                                                               \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),                        \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, (action)), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)                                              \
  }

/* From here on the system call fails with the error. */
static inline void plan_deny(struct plan_bytes *p, uint32_t number, uint32_t error) {
  struct sock_filter filter[] = FILTER(number, SECCOMP_RET_ERRNO | error);
  plan_add(p, OP_seccomp, 0u, (uint32_t)sizeof filter, filter, 0u);
}

/* Runs a function in a process where the system call does not exist, as on an older kernel. */
static inline void without_call(long number, void (*run)(void)) {
  struct sock_filter filter[] = FILTER((uint32_t)number, SECCOMP_RET_ERRNO | ENOSYS);
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  fflush(NULL);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    run();
    _exit(test_failed);
  }
  int status;
  NEED(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif

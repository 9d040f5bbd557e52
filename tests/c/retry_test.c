/*
 * Trying again, with an end.
 * links: c/common/retry.c
 */
#define _GNU_SOURCE 1
#include "../../c/common/retry.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/c/filter.h"
#include "../support/c/test.h"

#define NS_PER_MS UINT64_C(1000000)

static int turns;

static long interrupted(void) {
  turns++;
  errno = EINTR;
  return -1;
}

static void nothing_is_tried_for_ever(void) {
  CHECK_NUMBER(RETRY(interrupted()), -EINTR);
  CHECK_NUMBER(turns, INTERRUPTIONS_MAX);
  CHECK(!is_spinning(now_ns(), INTERRUPTIONS_MAX));
  CHECK(is_spinning(now_ns(), 2 * INTERRUPTIONS_MAX));
  CHECK(!is_spinning(now_ns() - 2 * INTERRUPTIONS_MAX * NS_PER_MS, 2 * INTERRUPTIONS_MAX));
  uint64_t start = now_ns();
  CHECK_NUMBER(poll_until(NULL, 0, start + 20 * NS_PER_MS), 0);
  CHECK(now_ns() - start >= 20 * NS_PER_MS);
}

static void a_process_ends_without_exit_group(void) {
  pid_t pid = fork();
  if (pid == 0) {
    struct sock_filter filter[] = FILTER(SYS_exit, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    struct sock_filter other[] = FILTER(SYS_exit_group, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog group = {sizeof other / sizeof *other, other};
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &group) == 0);
    end_process(3);
  }
  int status;
  NEED(waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP));
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(nothing_is_tried_for_ever),
      TEST(a_process_ends_without_exit_group),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}

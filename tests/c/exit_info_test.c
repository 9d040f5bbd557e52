/*
 * How processes of others have ended.
 * links: c/common/exit_info.c c/common/zombie_info.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include "../../c/common/exit_info.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../c/common/kernel.h"
#include "../support/c/test.h"

/* A child that ends so, or waits: its pidfd. */
static int child(int signal, pid_t *pid) {
  *pid = fork();
  NEED(*pid >= 0);
  if (*pid == 0) {
    if (signal > 0)
      raise(signal);
    _exit(7);
  }
  int pidfd = (int)syscall(NR_PIDFD_OPEN, *pid, 0);
  NEED(pidfd >= 0);
  return pidfd;
}

static void a_zombie_tells_how_it_has_ended(void) {
  siginfo_t info;
  pid_t pid;
  for (int signal = 0; signal <= SIGKILL; signal += SIGKILL) {
    int status = -1, pidfd = child(signal, &pid);
    NEED(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK_NUMBER(zombie_info(pidfd, &status), 1);
    CHECK_NUMBER(status, signal > 0 ? SIGKILL : 7 << 8);
    NEED(waitpid(pid, &status, 0) == pid);
    CHECK_NUMBER(zombie_info(pidfd, &status), 0); /* that is for exit_info */
    close(pidfd);
  }
}

static void who_lives_is_no_zombie(void) {
  pid_t pid;
  int status, pidfd = child(SIGSTOP, &pid);
  CHECK_NUMBER(zombie_info(pidfd, &status), 0);
  kill(pid, SIGKILL);
  NEED(waitpid(pid, &status, 0) == pid);
  close(pidfd);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(a_zombie_tells_how_it_has_ended),
      TEST(who_lives_is_no_zombie),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}

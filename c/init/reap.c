/*
 * The first process of a container that runs one program: it starts it, hands signals on to it, reaps
 * orphans, and ends with the code of the program once nobody is left. It is this executable once more.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/signals.h"
#include "init.h"

#define NOT_EXECUTED 255
#define KILLED 128

static int code_of(int status) {
  return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Takes all endings that there are; false: no child is left. */
static bool take_endings(pid_t program, int *code) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
    if (pid == program)
      *code = code_of(status);
  return pid == 0 || errno != ECHILD;
}

/* A key that was typed has reached the program already. */
static void hand_on(pid_t program, const siginfo_t *signal) {
  if (signal->si_signo != SIGCHLD && signal->si_code != SI_KERNEL)
    kill(program, signal->si_signo);
}

int reap(char **argv) {
  sigset_t all;
  siginfo_t signal;
  int code = NOT_EXECUTED;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  prctl(PR_SET_NAME, "init", 0, 0, 0);
  pid_t program = fork();
  if (program == 0) {
    signals_reset();
    execv(argv[0], argv + 1);
    _exit(NOT_EXECUTED);
  }
  if (program < 0)
    return NOT_EXECUTED;
  while (take_endings(program, &code))
    if (sigwaitinfo(&all, &signal) > 0)
      hand_on(program, &signal);
  return code;
}

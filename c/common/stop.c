#define _GNU_SOURCE 1
#include "stop.h"

#ifdef RUNTS_STOPS
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME_SIZE 16 /* TASK_COMM_LEN */

/* By the system call: after a clone(2) of our own, the C library remembers the wrong thread. */
static pid_t own_thread(void) {
  return (pid_t)syscall(SYS_gettid);
}

/* The process has the name of its first thread, which another one sets by way of /proc. */
static void set_name(const char *name) {
  if (own_thread() == getpid()) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
    return;
  }
  int fd = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void)!write(fd, name, strlen(name));
  close(fd);
}

static void wait_for(int number) {
  sigset_t set, former;
  sigemptyset(&set);
  sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, &former);
  sigwaitinfo(&set, NULL);
  sigprocmask(SIG_SETMASK, &former, NULL);
}

void stop_here(const char *name) {
  char former[NAME_SIZE] = "";
  prctl(PR_GET_NAME, former, 0, 0, 0);
  set_name(name);
  if (getpid() == 1)
    wait_for(SIGUSR1);
  else
    syscall(SYS_tgkill, getpid(), own_thread(), SIGSTOP);
  set_name(former);
}
#endif

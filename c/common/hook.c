#define _GNU_SOURCE 1
#include "hook.h"
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "close.h"
#include "signals.h"
#include "write.h"

#define MEMFD_CLOEXEC 1u
#define MEMFD_NOEXEC_SEAL 8u /* since Linux 6.3, where vm.memfd_noexec may demand it */
#define NS_PER_S 1000000000u
#define FIRST_OTHER_FD 3
#define AT_ONCE 1 /* a deadline that is over */
#define PIPE_CAPACITY 65536
#define PASSED_MAX 4096 /* a pipe that is ready takes a page */

/* What the parent and the child share; the child stores the reason why exec failed. */
struct launch {
  const struct hook *hook;
  int input;
  int error_output;
  volatile int error;
};

static void close_fd(int fd) {
  if (fd >= 0)
    close(fd);
}

/* Moves a descriptor out of the way of 0, 1 and 2, which the child replaces. */
static int above_stdio(int fd) {
  if (fd < 0 || fd >= FIRST_OTHER_FD)
    return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OTHER_FD);
  int error = errno;
  close(fd);
  return moved < 0 ? -error : moved;
}

/* A file rather than a pipe: it takes any length, and a hook that never reads it is no matter. */
static int make_input(const char *bytes, size_t length) {
  int fd = (int)syscall(SYS_memfd_create, "hook-input", MEMFD_CLOEXEC | MEMFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL)
    fd = (int)syscall(SYS_memfd_create, "hook-input", MEMFD_CLOEXEC);
  if (fd < 0)
    return -errno;
  int error = write_all(fd, bytes, length);
  if (error == 0 && lseek(fd, 0, SEEK_SET) != 0)
    error = -errno;
  if (error == 0)
    return above_stdio(fd);
  close(fd);
  return error;
}

/* Our own standard output is not for hooks: it belongs to the program. */
static bool replace_stdio(const struct launch *launch) {
  const struct hook *hook = launch->hook;
  int errors = hook->errors > 0 ? hook->errors : launch->error_output;
  int output = hook->output > 0 ? hook->output : errors;
  return dup2(launch->input, STDIN_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0 &&
         dup2(output, STDOUT_FILENO) >= 0;
}

static bool enter(const char *directory) {
  return !directory || chdir(directory) == 0 || chdir("/") == 0;
}

static bool set_limits(const struct hook *hook) {
  for (uint32_t i = 0; i < hook->limit_count; i++)
    if (syscall(SYS_prlimit64, 0, hook->limits[i].resource, hook->limits[i].value, NULL) != 0)
      return false;
  return true;
}

/* Shares the parent's memory, and not its descriptors, dispositions and limits. */
static _Noreturn void launch_child(struct launch *launch) {
  const struct hook *hook = launch->hook;
  const char *plain[] = {hook->path, NULL};
  const char *const *args = hook->args && hook->args[0] ? hook->args : plain;
  signals_reset();
  setpgid(0, 0);
  if (replace_stdio(launch) && enter(hook->directory)) {
    close_from(FIRST_OTHER_FD);
    if (set_limits(hook))
      execve(hook->path, (char *const *)(uintptr_t)args, (char *const *)(uintptr_t)hook->env);
  }
  launch->error = errno;
  end_process(127);
}

/* The child runs before the parent goes on, so that `error` is settled on return. */
static __attribute__((noinline)) pid_t launch_process(struct launch *launch) {
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of the parent may run in the child */
  pid_t own = getpid(), pid = vfork();
  if (pid == 0 && getpid() != own)
    launch_child(launch);
  int error = errno;
  signals_mask(mask);
  if (pid == 0)
    return -EIO; /* a filter's answer */
  return pid < 0 ? -error : pid;
}

static void keep_tail(struct hook_result *r, const char *bytes, size_t length) {
  if (length > HOOK_STDERR_MAX) {
    bytes += length - HOOK_STDERR_MAX;
    length = HOOK_STDERR_MAX;
  }
  size_t kept = r->stderr_length;
  if (kept > HOOK_STDERR_MAX - length) {
    size_t dropped = kept - (HOOK_STDERR_MAX - length);
    memmove(r->stderr_tail, r->stderr_tail + dropped, kept - dropped);
    kept -= dropped;
  }
  memcpy(r->stderr_tail + kept, bytes, length);
  r->stderr_length = (uint32_t)(kept + length);
}

/* Whether our standard error takes a page before the time is up: whoever reads it may have stopped. */
static bool has_room(uint64_t deadline) {
  struct pollfd errors = {.fd = STDERR_FILENO, .events = POLLOUT};
  return poll_until(&errors, 1, deadline) > 0;
}

/* Passes on some of what is there, as far as there is time for it; false if there was nothing. */
static bool pass_on(int fd, uint64_t deadline, struct hook_result *r) {
  char buffer[PASSED_MAX];
  long length = RETRY(read(fd, buffer, sizeof buffer));
  if (length <= 0)
    return false;
  keep_tail(r, buffer, (size_t)length);
  if (has_room(deadline) && write_all(STDERR_FILENO, buffer, (size_t)length) == -EPIPE)
    signals_discard(SIGNAL_BIT(SIGPIPE));
  return true;
}

/* What a pipe holds, and no more: a process that was left behind may write for ever. */
static void pass_on_rest(int fd, uint64_t deadline, struct hook_result *r) {
  for (size_t i = 0; i < PIPE_CAPACITY / PASSED_MAX; i++)
    if (!pass_on(fd, deadline, r))
      return;
}

static uint64_t deadline_of(const struct hook_process *p) {
  return p->timeout ? p->start_ns + p->timeout * (uint64_t)NS_PER_S : 0;
}

/* Until the process has ended, however much it has to say; -ETIMEDOUT when its time is up. */
static int watch(const struct hook_process *p, struct hook_result *r) {
  struct pollfd fds[] = {{.fd = p->pidfd, .events = POLLIN}, {.fd = p->output, .events = POLLIN}};
  uint64_t deadline = deadline_of(p);
  int ready = 1;
  while (ready > 0 && !fds[0].revents) {
    ready = poll_until(fds, 2, deadline);
    if (ready > 0 && fds[1].revents && !pass_on(p->output, deadline, r))
      fds[1].fd = -1;
    if (deadline > 0 && !fds[0].revents && now_ns() >= deadline)
      ready = 0;
  }
  return ready > 0 ? 0 : ready < 0 ? ready : -ETIMEDOUT;
}

/* What cannot be killed is not waited for. */
static int kill_process(struct hook_process *p) {
  kill(-p->pid, SIGKILL);
  if (kill(p->pid, SIGKILL) == 0) /* it may have left its group */
    return 0;
  p->pid = 0;
  return -errno;
}

static int reap(pid_t pid, struct hook_result *r) {
  int status;
  long reaped = RETRY(waitpid(pid, &status, 0));
  if (reaped == -ECHILD) { /* somebody else waits for every child: its end cannot be known */
    if (r->error == 0)
      r->error = ECHILD;
    return 0;
  }
  if (reaped != pid)
    return reaped < 0 ? (int)reaped : -EIO;
  if (WIFEXITED(status))
    r->status = WEXITSTATUS(status);
  else
    r->signal = WTERMSIG(status);
  return 0;
}

static int open_output(struct hook_process *p, struct launch *launch) {
  int fds[2] = {-1, -1};
  int error = pipe2(fds, O_CLOEXEC) == 0 ? 0 : -errno;
  p->output = above_stdio(fds[0]);
  launch->error_output = above_stdio(fds[1]);
  if (error == 0 && p->output < 0)
    error = p->output;
  if (error == 0 && launch->error_output < 0)
    error = launch->error_output;
  if (error == 0 && fcntl(p->output, F_SETFL, O_NONBLOCK) != 0)
    error = -errno;
  return error;
}

/* Without a pidfd it cannot be watched: then it is ended. */
static int start_process(struct launch *launch, struct hook_process *p, struct hook_result *r) {
  p->start_ns = now_ns();
  p->pid = launch_process(launch);
  if (p->pid < 0)
    return p->pid;
  r->error = launch->error;
  if (r->error)
    return 0;
  bool taken = fcntl(STDIN_FILENO, F_GETFD) >= 0;
  p->pidfd = (int)syscall(NR_PIDFD_OPEN, p->pid, 0);
  int error = p->pidfd < 0 ? -errno : 0;
  if (error == -ESRCH &&
      kill(p->pid, 0) != 0) /* reaped at once for a caller that ignores SIGCHLD */
    return 0;
  if (p->pidfd == STDIN_FILENO && taken) {
    p->pidfd = -1;
    error = -EIO; /* a filter's answer */
  }
  if (error != 0 && kill_process(p) == 0)
    reap(p->pid, r);
  return error;
}

int hook_begin(const struct hook *hook, struct hook_process *p, struct hook_result *r) {
  *r = (struct hook_result){.status = -1};
  *p = (struct hook_process){.pidfd = -1, .output = -1, .timeout = hook->timeout};
  struct launch launch = {.hook = hook, .error_output = -1};
  launch.input = make_input(hook->input, hook->input_length);
  if (launch.input < 0)
    return launch.input;
  int error = open_output(p, &launch);
  if (error == 0)
    error = start_process(&launch, p, r);
  close_fd(launch.input);
  close_fd(launch.error_output);
  if (error != 0)
    close_fd(p->output);
  return error;
}

int hook_pass_on(struct hook_process *p, struct hook_result *r) {
  if (!has_room(AT_ONCE))
    return -EAGAIN;
  uint64_t mask = signals_block(SIGNAL_BIT(SIGPIPE));
  bool passed = pass_on(p->output, AT_ONCE, r);
  signals_mask(mask);
  return passed;
}

int hook_kill(struct hook_process *p, struct hook_result *r) {
  r->timed_out = 1;
  return kill_process(p);
}

int hook_end(struct hook_process *p, uint64_t deadline, struct hook_result *r) {
  uint64_t mask = signals_block(SIGNAL_BIT(SIGPIPE));
  int error = p->pid > 0 ? reap(p->pid, r) : 0;
  if (r->error)
    r->status = -1;
  pass_on_rest(p->output, deadline, r);
  signals_mask(mask);
  r->duration_ns = now_ns() - p->start_ns;
  close_fd(p->pidfd);
  close_fd(p->output);
  return error;
}

int hook_run(const struct hook *hook, struct hook_result *result) {
  struct hook_process process;
  int error = hook_begin(hook, &process, result);
  if (error != 0)
    return error;
  uint64_t mask = signals_block(SIGNAL_BIT(SIGPIPE));
  if (process.pidfd >= 0)
    error = watch(&process, result);
  if (error == -ETIMEDOUT)
    hook_kill(&process, result);
  else if (error != 0)
    kill_process(&process);
  int ended = hook_end(&process, deadline_of(&process), result);
  signals_mask(mask);
  if (result->timed_out)
    return 0;
  return error != 0 ? error : ended;
}

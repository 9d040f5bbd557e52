/*
 * Signals that are handed on, and those that are not.
 * links: c/helper/forward.c c/helper/clock.c c/helper/files.c c/common/signals.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include "../../c/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../support/c/test.h"

#define NR_PIDFD_OPEN 434

/* The target, which tells the numbers of the signals that it gets; the one that hands them on. */
static pid_t target, forwarder;
static int told, go;

static pid_t start(void (*body)(int, int), int in, int out) {
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid > 0)
    return pid;
  body(in, out);
  _exit(0);
}

static void tell_signals(int in, int out) {
  (void)in;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  (void)!write(out, "", 1);
  for (;;) {
    uint8_t number = (uint8_t)sigwaitinfo(&all, NULL);
    (void)!write(out, &number, 1);
  }
}

static void hand_on(int in, int out) {
  int pidfd = (int)syscall(NR_PIDFD_OPEN, target, 0);
  char byte;
  int forwarding = rts_forward_begin();
  (void)!write(out, "", 1);
  while (read(in, &byte, 1) < 0)
    continue;
  if (rts_forward_to(forwarding, pidfd) != 0)
    _exit(1);
  for (;;)
    pause();
}

static uint8_t next_told(void) {
  uint8_t number = 255;
  NEED(read(told, &number, 1) == 1);
  return number;
}

static void begin_with(void (*body)(int, int)) {
  int numbers[2], orders[2];
  NEED(pipe2(numbers, O_CLOEXEC) == 0 && pipe2(orders, O_CLOEXEC) == 0);
  told = numbers[0];
  go = orders[1];
  target = start(tell_signals, -1, numbers[1]);
  CHECK_NUMBER(next_told(), 0);
  forwarder = start(body, orders[0], numbers[1]);
  close(numbers[1]);
  close(orders[0]);
}

static void begin(void) {
  begin_with(hand_on);
  CHECK_NUMBER(next_told(), 0);
}

static void end(void) {
  kill(forwarder, SIGKILL);
  kill(target, SIGKILL);
  waitpid(forwarder, NULL, 0);
  waitpid(target, NULL, 0);
  close(told);
  close(go);
}

static bool is_kept(int number) {
  return number == SIGKILL || number == SIGSTOP || number == SIGCHLD || number == SIGWINCH ||
         number == SIGURG || number == 32 || number == 33;
}

static void hands_on_every_signal(void) {
  begin();
  CHECK_NUMBER(write(go, "", 1), 1);
  for (int number = 1; number <= 64; number++) {
    if (is_kept(number))
      continue;
    CHECK_NUMBER(kill(forwarder, number), 0);
    CHECK_NUMBER(next_told(), number);
  }
  CHECK_NUMBER(sigqueue(forwarder, SIGSEGV, (union sigval){.sival_int = 7}), 0);
  CHECK_NUMBER(next_told(), SIGSEGV);
  CHECK_NUMBER(waitpid(forwarder, NULL, WNOHANG), 0);
  end();
}

static void keeps_what_comes_early(void) {
  begin();
  CHECK_NUMBER(kill(forwarder, SIGUSR1), 0);
  CHECK_NUMBER(kill(forwarder, 64), 0);
  CHECK_NUMBER(write(go, "", 1), 1);
  CHECK_NUMBER(next_told(), SIGUSR1);
  CHECK_NUMBER(next_told(), 64);
  end();
}

/* What JavaScript alone has heard, because the handlers were not there yet. */
static void hand_on_heard(int in, int out) {
  int pidfd = (int)syscall(NR_PIDFD_OPEN, target, 0);
  int before = rts_forward_count(SIGTERM), forwarding = rts_forward_begin();
  NEED(before == 0 && rts_forward_to(forwarding, pidfd) == 0);
  NEED(rts_forward_heard(SIGTERM, before) == 1 && rts_forward_count(SIGTERM) == 1);
  NEED(rts_forward_heard(SIGTERM, before) == 0 && rts_forward_count(SIGTERM) == 1);
  NEED(rts_forward_heard(0, 0) == -EINVAL && rts_forward_count(65) == -EINVAL);
  (void)in;
  (void)!write(out, "", 1);
  for (;;)
    pause();
}

static void hands_on_once_what_was_only_heard(void) {
  begin_with(hand_on_heard);
  int first = next_told(), second = next_told(); /* of two writers */
  CHECK_NUMBER(first + second, SIGTERM);
  CHECK_NUMBER(kill(forwarder, SIGTERM), 0);
  CHECK_NUMBER(next_told(), SIGTERM);
  end();
}

static int ending_of(void (*body)(int, int)) {
  int status = 0;
  NEED(waitpid(start(body, -1, -1), &status, 0) > 0);
  return status;
}

static void fault(int in, int out) {
  (void)in, (void)out;
  rts_forward_begin();
  __builtin_trap();
}

static void give_up(int in, int out) {
  (void)in, (void)out;
  rts_forward_begin();
  abort();
}

static void write_to_nobody(int in, int out) {
  (void)in, (void)out;
  int ends[2];
  rts_forward_begin();
  if (pipe(ends) != 0)
    _exit(2);
  close(ends[0]);
  _exit(write(ends[1], "", 1) == -1 && errno == EPIPE ? 0 : 1);
}

static void leaves_own_faults_alone(void) {
  int status = ending_of(fault);
  CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP));
  status = ending_of(give_up);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  CHECK_NUMBER(ending_of(write_to_nobody), 0);
}

/* In a session of its own, whose foreground is somebody else. */
static void use_terminal(int in, int write_too) {
  int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  NEED(setsid() > 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
  int own = open(ptsname(terminal), O_RDWR);
  pid_t user = fork();
  NEED(own >= 0 && user >= 0);
  if (user == 0) {
    struct termios mode;
    struct rlimit seconds = {2, 2}; /* without an end otherwise */
    NEED(setrlimit(RLIMIT_CPU, &seconds) == 0);
    NEED(setpgid(0, 0) == 0 && tcgetattr(own, &mode) == 0);
    rts_forward_begin();
    if (write_too)
      tcsetattr(own, TCSANOW, &mode);
    else
      (void)!read(own, &mode, 1);
    _exit(0);
  }
  int status = 0;
  NEED(waitpid(user, &status, WUNTRACED) == user);
  bool stopped = WIFSTOPPED(status) && WSTOPSIG(status) == (write_too ? SIGTTOU : SIGTTIN);
  kill(user, SIGKILL);
  waitpid(user, NULL, 0);
  (void)in;
  _exit(stopped ? 0 : 1);
}

static void stops_in_the_background(void) {
  for (int write_too = 0; write_too < 2; write_too++) {
    int status = 0;
    NEED(waitpid(start(use_terminal, -1, write_too), &status, 0) > 0);
    CHECK_NUMBER(status, 0);
  }
}

static volatile sig_atomic_t heard;

static void hear(int number, siginfo_t *info, void *context) {
  (void)info, (void)context;
  heard = number;
}

static void calls_who_listened_before_and_restores_that(void) {
  struct sigaction action = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO}, now;
  NEED(sigaction(SIGUSR2, &action, NULL) == 0);
  int one = rts_forward_begin(), other = rts_forward_begin();
  CHECK(one >= 0 && other >= 0 && one != other);
  CHECK_NUMBER(sigqueue(getpid(), SIGUSR2, (union sigval){0}), 0);
  CHECK_NUMBER(heard, SIGUSR2);
  CHECK_NUMBER(rts_forward_end(one), 0);
  CHECK(sigaction(SIGTERM, NULL, &now) == 0 && now.sa_handler != SIG_DFL);
  CHECK_NUMBER(rts_forward_end(other), 0);
  CHECK(sigaction(SIGTERM, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
  CHECK(sigaction(SIGUSR2, NULL, &now) == 0 && now.sa_sigaction == hear);
  signal(SIGUSR2, SIG_DFL);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(hands_on_every_signal),
      TEST(keeps_what_comes_early),
      TEST(hands_on_once_what_was_only_heard),
      TEST(leaves_own_faults_alone),
      TEST(stops_in_the_background),
      TEST(calls_who_listened_before_and_restores_that),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}

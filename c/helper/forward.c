/*
 * Signals that we get are handed on to other processes, by the handler itself: JavaScript would
 * have to be told of each, and knows half of them.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "../common/forwarded.h"
#include "../common/kernel.h"
#include "../common/signals.h"
#include "helper.h"

/* One that signals are for. */
struct target {
  atomic_bool used;
  atomic_int pidfd;     /* -1: it does not run yet */
  atomic_ullong early;  /* what came until then */
  atomic_int size_from; /* terminals: the caller's … */
  atomic_int size_to;   /* … and that of the process; -1 without */
  atomic_int told;      /* gets a byte when a request to end comes; -1 without */
};

static struct target targets[RTS_FORWARD_MAX];
static struct sigaction former[SIGNAL_COUNT + 1];
static atomic_int counts[SIGNAL_COUNT + 1]; /* how often each has been handed on */
static int in_use;

static int copy_size(const struct target *t) {
  struct winsize size;
  if (ioctl(t->size_from, TIOCGWINSZ, &size) != 0)
    return -errno;
  return ioctl(t->size_to, TIOCSWINSZ, &size) == 0 ? 0 : -errno;
}

/* Once is enough. */
static void tell(struct target *t, uint64_t set) {
  if (!(set & REQUESTS))
    return;
  int fd = atomic_exchange(&t->told, -1);
  if (fd >= 0)
    (void)!write(fd, "", 1);
}

static void send_to(struct target *t, int number) {
  if (number == SIGWINCH) {
    if (atomic_load(&t->size_to) >= 0)
      copy_size(t);
    return;
  }
  uint64_t bit = SIGNAL_BIT(number);
  int pidfd = atomic_load(&t->pidfd);
  tell(t, bit);
  if (pidfd < 0) {
    atomic_fetch_or(&t->early, bit);
    pidfd = atomic_load(&t->pidfd); /* another thread may just have sent what came early */
    if (pidfd < 0 || !(atomic_fetch_and(&t->early, ~bit) & bit))
      return;
  }
  syscall(NR_PIDFD_SEND_SIGNAL, pidfd, number, NULL, 0);
}

static void hand_on(int number) {
  for (int i = 0; i < RTS_FORWARD_MAX; i++)
    if (atomic_load(&targets[i].used))
      send_to(&targets[i], number);
}

static void handle(int number, siginfo_t *info, void *context) {
  int error = errno;
  const struct sigaction *before = &former[number];
  if (is_own_signal(number, info, getpid())) {
    /* It comes again on return, and abort(3) raises its signal once more. */
    if (number != SIGPIPE)
      sigaction(number, before, NULL);
  } else {
    atomic_fetch_add(&counts[number], 1);
    hand_on(number);
    /* A script may listen, too; but Deno would open its debugger to every user of the host. */
    if ((before->sa_flags & SA_SIGINFO) && !((FAULTS | SIGNAL_BIT(SIGUSR1)) & SIGNAL_BIT(number)))
      before->sa_sigaction(number, info, context);
  }
  errno = error;
}

/* A caller may have blocked any of them for us. */
static void unblock(void) {
  const uint64_t set = ~(uint64_t)NOT_FORWARDED;
  syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof set);
}

static void install(void) {
  struct sigaction action = {.sa_sigaction = handle,
                             .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  for (int number = 1; number <= SIGNAL_COUNT; number++)
    if (!(NOT_FORWARDED & SIGNAL_BIT(number)))
      sigaction(number, &action, &former[number]);
  unblock();
}

/* Whoever has set a handler meanwhile keeps it. */
static void restore(void) {
  for (int number = 1; number <= SIGNAL_COUNT; number++) {
    struct sigaction now;
    if (NOT_FORWARDED & SIGNAL_BIT(number))
      continue;
    if (sigaction(number, NULL, &now) == 0 && now.sa_sigaction == handle)
      sigaction(number, &former[number], NULL);
  }
}

int32_t rts_forward_begin(void) {
  for (int i = 0; i < RTS_FORWARD_MAX; i++) {
    struct target *t = &targets[i];
    if (atomic_load(&t->used))
      continue;
    atomic_store(&t->pidfd, -1);
    atomic_store(&t->early, 0);
    atomic_store(&t->size_to, -1);
    atomic_store(&t->told, -1);
    atomic_store(&t->used, true);
    if (in_use++ == 0)
      install();
    return i;
  }
  return -EAGAIN;
}

int32_t rts_forward_count(int32_t number) {
  return number > 0 && number <= SIGNAL_COUNT ? atomic_load(&counts[number]) : -EINVAL;
}

int32_t rts_forward_heard(int32_t number, int32_t count) {
  if (number <= 0 || number > SIGNAL_COUNT)
    return -EINVAL;
  if (!atomic_compare_exchange_strong(&counts[number], &count, count + 1))
    return 0;
  hand_on(number);
  return 1;
}

int32_t rts_forward_to(int32_t forwarding, int32_t pidfd) {
  struct target *t = &targets[forwarding];
  int own = RETRY(fcntl(pidfd, F_DUPFD_CLOEXEC, 3));
  if (own < 0)
    return own;
  atomic_store(&t->pidfd, own);
  uint64_t early = atomic_exchange(&t->early, 0);
  for (int number = 1; number <= SIGNAL_COUNT; number++)
    if (early & SIGNAL_BIT(number))
      send_to(t, number);
  return 0;
}

int32_t rts_forward_size(int32_t forwarding, int32_t from, int32_t to) {
  struct target *t = &targets[forwarding];
  atomic_store(&t->size_from, from);
  atomic_store(&t->size_to, to);
  return copy_size(t);
}

int32_t rts_forward_tell(int32_t forwarding, int32_t fd) {
  struct target *t = &targets[forwarding];
  atomic_store(&t->told, fd);
  tell(t, atomic_load(&t->early));
  return 0;
}

int32_t rts_forward_end(int32_t forwarding) {
  struct target *t = &targets[forwarding];
  if (--in_use == 0)
    restore();
  atomic_store(&t->used, false);
  int pidfd = atomic_exchange(&t->pidfd, -1);
  return pidfd < 0 ? 0 : rts_close(pidfd);
}

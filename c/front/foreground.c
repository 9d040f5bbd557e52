/*
 * The front's signals go to the process in its foreground, by the handler itself, and its terminal is joined to
 * that of the process. There is no memory but the stack and what was mapped: the handler finds its own
 * by way of its stack (sigaltstack(2)), which is part of it.
 */
#define _GNU_SOURCE
#include "foreground.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include "../common/forwarded.h"
#include "action.h"
#include "files.h"
#include "syscall.h"
#include "text.h"

#define STREAMS 3
/* For the handler, and all that the kernel keeps of the processor for it. */
#define STACK_SIZE 65536

struct foreground {
  pid_t own;
  volatile int pidfd; /* -1: it does not run yet */
  volatile uint64_t early;
  volatile int size_from, size_to; /* terminals: the caller's and that of the process; -1 without */
  volatile int told;               /* gets a byte when a request to end comes; -1 without */
  int hurry;                       /* where that is read */
  int is_raw, is_joined;
  uint32_t end_request; /* 0: none waits for the terminal */
  int master, log;
  struct termios mode;
  struct action former[SIGNAL_COUNT + 1];
  struct relay relay;
  _Alignas(16) char stack[STACK_SIZE];
};

/* struct ucontext of the kernel, as far as it counts */
struct context {
  unsigned long flags;
  struct context *link;
  struct foreground *stack;
};

static long copy_size(int from, int to) {
  struct winsize size;
  long result = sys3(SYS_ioctl, from, TIOCGWINSZ, (long)&size);
  return result < 0 ? result : sys3(SYS_ioctl, to, TIOCSWINSZ, (long)&size);
}

/* Once is enough. */
static void tell(struct foreground *f, uint64_t set) {
  static const char byte[1];
  int told = f->told;
  if (!(set & REQUESTS) || told < 0)
    return;
  f->told = -1;
  sys3(SYS_WRITE, told, (long)byte, 1);
  sys1(SYS_CLOSE, told);
}

static void hand_on(struct foreground *f, int number) {
  if (number == SIGWINCH) {
    if (f->size_to >= 0)
      copy_size(f->size_from, f->size_to);
    return;
  }
  tell(f, SIGNAL_BIT(number));
  if (f->pidfd < 0)
    f->early |= SIGNAL_BIT(number);
  else
    sys4(SYS_PIDFD_SEND_SIGNAL, f->pidfd, number, 0, 0);
}

static void handle(int number, siginfo_t *info, struct context *context) {
  struct foreground *f = context->stack;
  if (!is_own_signal(number, info, f->own))
    hand_on(f, number);
  else if (number != SIGPIPE) /* it comes again on return */
    change_action(number, &f->former[number], NULL);
}

/* A caller may have blocked any of them for us. */
static void take_signals(struct foreground *f) {
  struct action action = {.handler = (void (*)(int))(void *)handle,
                          .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK,
                          .mask = SIGNALS_ALL};
  for (int number = 1; number <= SIGNAL_COUNT; number++)
    if (!(NOT_FORWARDED & SIGNAL_BIT(number)))
      change_action(number, &action, &f->former[number]);
  signals_unblock(~NOT_FORWARDED);
}

static void give_signals_back(const struct foreground *f) {
  for (int number = 1; number <= SIGNAL_COUNT; number++)
    if (!(NOT_FORWARDED & SIGNAL_BIT(number)))
      change_action(number, &f->former[number], NULL);
}

static long begin(struct body *body) {
  if (body->foreground)
    return -EBUSY;
  struct foreground *f = new_pages(sizeof *f);
  const stack_t stack = {.ss_sp = f, .ss_size = sizeof *f};
  f->own = (pid_t)sys1(SYS_GETPID, 0);
  f->pidfd = f->size_to = f->told = f->hurry = f->master = f->log = -1;
  long result = sys2(SYS_sigaltstack, (long)&stack, 0);
  if (result < 0)
    return result;
  body->foreground = f;
  take_signals(f);
  return 0;
}

/* Those that have come until now are its, too. */
static void set_target(struct foreground *f, int pidfd) {
  uint64_t mask = signals_block(SIGNALS_ALL);
  f->pidfd = pidfd;
  for (int number = 1; number <= SIGNAL_COUNT; number++)
    if (f->early & SIGNAL_BIT(number))
      hand_on(f, number);
  signals_mask(mask);
}

static long follow_size(struct foreground *f, int master) {
  struct termios mode;
  for (int fd = 0; fd < STREAMS; fd++) {
    if (sys3(SYS_ioctl, fd, TCGETS, (long)&mode) < 0)
      continue;
    f->size_from = fd;
    f->size_to = master;
    return copy_size(fd, master);
  }
  return 0;
}

/* As cfmakeraw(3), but for output: newlines come bare from the container's terminal. */
static long make_raw(struct foreground *f) {
  if (sys3(SYS_ioctl, 0, TCGETS, (long)&f->mode) < 0)
    return 0;
  struct termios mode = f->mode;
  mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  mode.c_cflag = (mode.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  long result = sys3(SYS_ioctl, 0, TCSETS, (long)&mode);
  f->is_raw = result == 0;
  return result;
}

/* A terminal that has hung up has no mode any more. */
static long restore_mode(struct foreground *f) {
  if (!f->is_raw)
    return 0;
  f->is_raw = 0;
  long result = sys3(SYS_ioctl, 0, TCSETS, (long)&f->mode);
  return result == -EIO ? 0 : result;
}

static long listen_for_requests(struct foreground *f) {
  int32_t ends[2];
  long result = sys2(SYS_pipe2, (long)ends, O_CLOEXEC);
  if (result < 0)
    return result;
  f->hurry = ends[0];
  f->told = ends[1];
  tell(f, f->early);
  return 0;
}

static long join(struct foreground *f, int32_t *fds, uint32_t count) {
  f->master = fds[0];
  f->log = count > 1 ? fds[1] : -1;
  for (uint32_t i = 0; i < count; i++)
    fds[i] = -1;
  long result = listen_for_requests(f);
  if (result == 0)
    result = follow_size(f, f->master);
  if (result == 0)
    result = make_raw(f);
  if (result == 0)
    result = relay_begin(&f->relay, f->master, 0, 1, f->log);
  f->is_joined = result == 0;
  return result;
}

static void part(struct foreground *f) {
  if (!f->is_joined)
    return;
  f->is_joined = 0;
  f->size_to = -1;
  relay_end(&f->relay);
}

long foreground_leave(struct body *body) {
  struct foreground *f = body->foreground;
  if (!f)
    return 0;
  part(f);
  long result = restore_mode(f);
  give_signals_back(f);
  const int32_t fds[] = {f->pidfd, f->told, f->hurry, f->master, f->log};
  body->foreground = NULL;
  close_all(fds, sizeof fds / sizeof *fds);
  return result;
}

long foreground_end(struct body *body, uint32_t request) {
  struct foreground *f = body->foreground;
  struct pollfd none[RELAY_POLLED] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};
  if (f->is_joined) {
    relay_wake(&f->relay);
    relay_step(&f->relay, none);
    if (!relay_is_done(&f->relay)) {
      f->end_request = request;
      return ANSWER_LATER;
    }
  }
  return foreground_leave(body);
}

long do_foreground(struct body *body, const struct request *r) {
  uint32_t step = (uint32_t)number_at(r, 0);
  if (step == BODY_FOREGROUND_BEGIN)
    return begin(body);
  if (!body->foreground || body->foreground->end_request)
    return -EINVAL;
  if (step == BODY_FOREGROUND_TARGET && r->fd_count == 1 && body->foreground->pidfd < 0) {
    set_target(body->foreground, r->fds[0]);
    r->fds[0] = -1;
    return 0;
  }
  if (step == BODY_FOREGROUND_TERMINAL && r->fd_count > 0 && r->fd_count <= 2 &&
      body->foreground->master < 0)
    return join(body->foreground, r->fds, r->fd_count);
  return step == BODY_FOREGROUND_END ? foreground_end(body, r->number) : -EINVAL;
}

int foreground_watch(const struct body *body, struct pollfd *polled) {
  const struct foreground *f = body->foreground;
  for (int i = 0; i < WATCH_COUNT; i++)
    polled[i] = (struct pollfd){.fd = -1};
  if (!f || !f->is_joined)
    return -1;
  relay_watch(&f->relay, polled);
  polled[WATCH_HURRY].fd = f->relay.hurried ? -1 : f->hurry;
  polled[WATCH_HURRY].events = POLLIN;
  return relay_patience(&f->relay);
}

void foreground_step(struct body *body, const struct pollfd *polled, long ready) {
  struct foreground *f = body->foreground;
  if (!f || !f->is_joined)
    return;
  if (polled[WATCH_HURRY].revents)
    f->relay.hurried = 1;
  relay_step(&f->relay, polled);
  if (f->end_request && (ready <= 0 || relay_is_done(&f->relay))) {
    uint32_t request = f->end_request;
    answer_now(body, BODY_FOREGROUND, request, foreground_leave(body), NULL, 0);
  } else if (relay_is_done(&f->relay)) {
    part(f);
  }
}

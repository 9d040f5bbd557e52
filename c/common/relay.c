#define _GNU_SOURCE 1
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "raw.h"
#include "retry.h"

#define WRITE_MAX 4096  /* a pipe that is ready takes a page */
#define STALLED_MS 1000 /* how long a reader that is no longer waited for may do nothing */
#define PATH_SIZE 32
#define MODE_SIZE 64 /* room for struct termios of the kernel */

static bool has_data(const struct flow *f) {
  return f->start < f->end;
}

static bool has_room(const struct flow *f) {
  return !f->ended && f->end < RELAY_BUFFER;
}

/* read(2) or write(2). */
static long transfer(long nr, int fd, const uint8_t *bytes, size_t length) {
  long result = -EINTR;
  for (int i = 0; result == -EINTR && i < INTERRUPTIONS_MAX; i++)
    result = sys3(nr, fd, (long)bytes, (long)length);
  return result;
}

/* -EAGAIN when there is nothing to read now; 0 when something was read or the flow has ended. */
static long flow_read(struct flow *f) {
  long length = transfer(SYS_read, f->from, f->bytes + f->end, RELAY_BUFFER - f->end);
  if (length == -EAGAIN)
    return length;
  if (length <= 0)
    f->ended = true;
  if (length > 0 && f->log >= 0)
    transfer(SYS_write, f->log, f->bytes + f->end, (size_t)length);
  if (length > 0 && !f->discard)
    f->end += (size_t)length;
  return 0;
}

static void move_to_front(struct flow *f) {
  for (size_t at = f->start; at < f->end; at++)
    f->bytes[at - f->start] = f->bytes[at];
  f->end -= f->start;
  f->start = 0;
}

/* What nobody takes any more is dropped, so that its writer is not held up. */
static void flow_write(struct flow *f) {
  size_t length = f->end - f->start;
  length = length > WRITE_MAX ? WRITE_MAX : length;
  long written = transfer(SYS_write, f->to, f->bytes + f->start, length);
  if (written == -EAGAIN)
    return;
  if (written < 0) {
    f->discard = true;
    f->start = f->end = 0; /* a full buffer would never have room again */
  } else {
    f->start += (size_t)written;
  }
  if (f->start == f->end)
    f->start = f->end = 0;
  else if (f->start >= RELAY_BUFFER / 2)
    move_to_front(f);
}

static void flow_stop(struct flow *f) {
  f->ended = true;
  f->start = f->end = 0;
}

/* Reads as much as there is and room for. */
static long fill(struct flow *out) {
  long result = 0;
  while (result == 0 && has_room(out))
    result = flow_read(out);
  return result;
}

static long set_nonblocking(int fd) {
  long flags = sys3(SYS_fcntl, fd, F_GETFL, 0);
  return flags < 0 ? flags : sys3(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

static bool is_fifo(int fd) {
  return sys3(SYS_fcntl, fd, F_GETPIPE_SZ, 0) > 0;
}

static bool is_terminal(int fd) {
  _Alignas(8) char mode[MODE_SIZE];
  return sys3(SYS_ioctl, fd, TCGETS, (long)mode) == 0;
}

static void put_path(char path[PATH_SIZE], int fd) {
  const char *prefix = "/proc/self/fd/";
  char digits[12];
  int count = 0, at = 0;
  do
    digits[count++] = (char)('0' + fd % 10);
  while (fd /= 10);
  while (*prefix)
    path[at++] = *prefix++;
  while (count > 0)
    path[at++] = digits[--count];
  path[at] = 0;
}

/* The output as a description of our own that does not block, or a negative number. */
static int open_again(int output) {
  char path[PATH_SIZE];
  if (output < 0 || !(is_fifo(output) || is_terminal(output)))
    return -1;
  put_path(path, output);
  const long flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  return (int)sys4(SYS_openat, AT_FDCWD, (long)path, flags, 0);
}

int relay_begin(struct relay *r, int master, int input, int output, int log) {
  long result = set_nonblocking(master);
  if (result < 0)
    return (int)result;
  r->again = open_again(output);
  r->in.from = input;
  r->in.to = r->out.from = master;
  r->out.to = r->again >= 0 ? r->again : output;
  r->in.log = -1;
  r->out.log = log;
  r->in.ended = input < 0;
  r->out.discard = output < 0;
  return 0;
}

void relay_watch(const struct relay *r, struct pollfd polled[RELAY_POLLED]) {
  const struct flow *in = &r->in, *out = &r->out;
  bool reads = has_room(out), writes = has_data(in);
  polled[RELAY_MASTER].fd = reads || writes ? out->from : -1;
  polled[RELAY_MASTER].events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  polled[RELAY_INPUT].fd = has_room(in) ? in->from : -1;
  polled[RELAY_INPUT].events = POLLIN;
  polled[RELAY_OUTPUT].fd = has_data(out) ? out->to : -1;
  polled[RELAY_OUTPUT].events = POLLOUT;
}

int relay_patience(const struct relay *r) {
  return r->woken && r->hurried ? STALLED_MS : -1;
}

void relay_wake(struct relay *r) {
  r->woken = true;
  flow_stop(&r->in);
}

void relay_step(struct relay *r, const struct pollfd polled[RELAY_POLLED]) {
  struct flow *in = &r->in, *out = &r->out;
  const short master = polled[RELAY_MASTER].fd < 0 ? 0 : polled[RELAY_MASTER].revents;
  if (polled[RELAY_INPUT].fd >= 0 && polled[RELAY_INPUT].revents && has_room(in))
    flow_read(in);
  if ((master & POLLOUT) && has_data(in))
    flow_write(in);
  if (master & POLLHUP)
    flow_stop(in);
  if (polled[RELAY_OUTPUT].fd >= 0 && polled[RELAY_OUTPUT].revents)
    flow_write(out);
  bool look = r->woken || (master & ~POLLOUT);
  if (look && has_room(out) && fill(out) == -EAGAIN && r->woken)
    out->ended = true;
}

bool relay_is_done(const struct relay *r) {
  return r->out.ended && !has_data(&r->out);
}

void relay_end(struct relay *r) {
  if (r->again >= 0)
    sys1(SYS_close, r->again);
}

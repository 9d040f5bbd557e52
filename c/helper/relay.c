/*
 * Copies between a container's terminal and our own input and output.
 *
 * A terminal whose last user is gone answers with EIO, but only after it gave all that it held. A
 * write to our output must not block, nor may its mode be changed, which is shared with our caller: a
 * pipe or terminal is opened once more, and to all else goes no more at once than poll(2) promises.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper.h"

#define BUFFER_SIZE 65536
#define WRITE_MAX 4096  /* a pipe that is ready takes a page */
#define STALLED_MS 1000 /* how long a reader that is no longer waited for may do nothing */

/* One direction. Bytes from `start` to `end` were read and wait to be written. */
struct flow {
  int from;
  int to;
  bool ended;   /* nothing more will be read */
  bool discard; /* nobody wants what is read */
  int log;      /* a file that has what is read as well, or -1 */
  size_t start;
  size_t end;
  uint8_t bytes[BUFFER_SIZE];
};

enum { POLL_MASTER, POLL_INPUT, POLL_OUTPUT, POLL_WAKE, POLL_HURRY, POLL_COUNT };

static bool has_data(const struct flow *f) {
  return f->start < f->end;
}

static bool has_room(const struct flow *f) {
  return !f->ended && f->end < BUFFER_SIZE;
}

/* -EAGAIN when there is nothing to read now; 0 when something was read or the flow has ended. */
static int flow_read(struct flow *f) {
  int length = RETRY(read(f->from, f->bytes + f->end, BUFFER_SIZE - f->end));
  if (length == -EAGAIN)
    return length;
  if (length <= 0)
    f->ended = true;
  if (length > 0 && f->log >= 0)
    RETRY(write(f->log, f->bytes + f->end, (size_t)length));
  if (length > 0 && !f->discard)
    f->end += (size_t)length;
  return 0;
}

/* What nobody takes any more is dropped, so that its writer is not held up. */
static void flow_write(struct flow *f) {
  size_t length = f->end - f->start;
  int written = RETRY(write(f->to, f->bytes + f->start, length > WRITE_MAX ? WRITE_MAX : length));
  if (written == -EAGAIN)
    return;
  if (written < 0) {
    f->discard = true;
    f->start = f->end = 0; /* a full buffer would never have room again */
  } else {
    f->start += (size_t)written;
  }
  if (f->start == f->end) {
    f->start = f->end = 0;
  } else if (f->start >= BUFFER_SIZE / 2) {
    memmove(f->bytes, f->bytes + f->start, f->end - f->start);
    f->end -= f->start;
    f->start = 0;
  }
}

static void flow_stop(struct flow *f) {
  f->ended = true;
  f->start = f->end = 0;
}

static void prepare(struct pollfd *polled, const struct flow *in, const struct flow *out, int wake,
                    int hurry) {
  bool reads = has_room(out);
  bool writes = has_data(in);
  polled[POLL_MASTER].fd = reads || writes ? out->from : -1;
  polled[POLL_MASTER].events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  polled[POLL_INPUT].fd = has_room(in) ? in->from : -1;
  polled[POLL_INPUT].events = POLLIN;
  polled[POLL_OUTPUT].fd = has_data(out) ? out->to : -1;
  polled[POLL_OUTPUT].events = POLLOUT;
  polled[POLL_WAKE].fd = wake;
  polled[POLL_WAKE].events = POLLIN;
  polled[POLL_HURRY].fd = hurry;
  polled[POLL_HURRY].events = POLLIN;
}

/* Reads as much as there is and room for. */
static int fill(struct flow *out) {
  int result = 0;
  while (result == 0 && has_room(out))
    result = flow_read(out);
  return result;
}

static int relay(struct flow *in, struct flow *out, int wake, int hurry) {
  struct pollfd polled[POLL_COUNT];
  bool woken = false, hurried = false;
  while (!out->ended || has_data(out)) {
    prepare(polled, in, out, woken ? -1 : wake, hurried ? -1 : hurry);
    int ready = rts_poll(polled, POLL_COUNT, woken && hurried ? STALLED_MS : -1);
    if (ready <= 0)
      return ready;
    if (polled[POLL_HURRY].revents)
      hurried = true;
    if (polled[POLL_WAKE].revents) {
      woken = true;
      flow_stop(in);
    }
    if (polled[POLL_INPUT].revents && has_room(in))
      flow_read(in);
    if (polled[POLL_MASTER].revents & POLLOUT)
      flow_write(in);
    if (polled[POLL_MASTER].revents & POLLHUP)
      flow_stop(in);
    if (polled[POLL_OUTPUT].revents)
      flow_write(out);
    bool look = woken || (polled[POLL_MASTER].revents & ~POLLOUT);
    if (look && has_room(out) && fill(out) == -EAGAIN && woken)
      out->ended = true;
  }
  return 0;
}

static int set_nonblocking(int fd) {
  int flags = RETRY(fcntl(fd, F_GETFL));
  return flags < 0 ? flags : RETRY(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

/* The output as a description of our own that does not block, or -1. */
static int open_again(int output) {
  char path[64];
  struct stat file;
  if (fstat(output, &file) != 0 || !(S_ISFIFO(file.st_mode) || rts_is_terminal(output) == 1))
    return -1;
  snprintf(path, sizeof path, "/proc/self/fd/%d", output);
  return rts_open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
}

int32_t rts_relay(int32_t master, int32_t input, int32_t output, int32_t log, int32_t wake,
                  int32_t hurry) {
  int result = set_nonblocking(master);
  if (result < 0)
    return result;
  struct flow *flows = calloc(2, sizeof *flows);
  if (!flows)
    return -ENOMEM;
  struct flow *in = &flows[0], *out = &flows[1];
  int again = open_again(output);
  in->from = input;
  in->to = out->from = master;
  out->to = again >= 0 ? again : output;
  in->log = -1;
  out->log = log;
  in->ended = input < 0;
  out->discard = output < 0;
  result = relay(in, out, wake, hurry);
  if (again >= 0)
    close(again);
  free(flows);
  return result;
}

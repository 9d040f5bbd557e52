/*
 * Streams that lead somewhere else than to a log: what a program writes goes into another pipe or a file, by
 * splice(2) where the kernel can, and a terminal reads what another pipe has. Nothing is kept here as a rule.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "monitor.h"

#define PIECE 65536
/* More than a pipe holds. */
#define DRAIN_PIECES 64

struct forward {
  struct source target; /* in the loop while it has no room */
  struct stream *stream;
  bool waits;     /* for room */
  bool copies;    /* the kernel cannot do it by itself */
  uint8_t *bytes; /* what was read, and not written */
  size_t start, end;
};

void forward_free(struct stream *s) {
  if (!s->forward)
    return;
  loop_remove(&s->forward->target);
  unmap_memory(s->forward->bytes, SCRATCH_SIZE);
  free(s->forward);
  s->forward = NULL;
}

static bool is_empty(const struct stream *s) {
  int length = 0;
  return ioctl(s->source.fd, FIONREAD, &length) == 0 && length == 0;
}

/* What is not taken at once waits; what is refused is lost. */
static long put(struct forward *f, const uint8_t *bytes, size_t length) {
  long written = RETRY(write(f->target.fd, bytes, length));
  if (written >= 0) {
    the_monitor.written += (uint64_t)written;
    return written;
  }
  if (written == -EAGAIN)
    return 0;
  the_monitor.lost += length;
  return (long)length;
}

static bool put_rest(struct forward *f) {
  while (f->start < f->end) {
    long written = put(f, f->bytes + f->start, f->end - f->start);
    if (written == 0)
      return false;
    f->start += (size_t)written;
  }
  unmap_memory(f->bytes, SCRATCH_SIZE);
  f->bytes = NULL;
  f->start = f->end = 0;
  return true;
}

/* As read(2) has it; -ENOSPC: the target has no room. */
static long copy(struct stream *s) {
  struct forward *f = s->forward;
  if (!put_rest(f))
    return -ENOSPC;
  long length = RETRY(read(s->source.fd, scratch, SCRATCH_SIZE));
  if (length <= 0)
    return length;
  attach_output(s->process, s->number, scratch, (size_t)length);
  size_t done = 0;
  while (done < (size_t)length) {
    long written = put(f, scratch + done, (size_t)length - done);
    if (written == 0)
      break;
    done += (size_t)written;
  }
  if (done == (size_t)length)
    return length;
  f->bytes = map_memory(SCRATCH_SIZE);
  if (!f->bytes) {
    the_monitor.lost += (size_t)length - done;
    return length;
  }
  f->end = (size_t)length - done;
  memcpy(f->bytes, scratch + done, f->end);
  return -ENOSPC;
}

static long move(struct stream *s) {
  struct forward *f = s->forward;
  if (f->copies)
    return copy(s);
  long length = RETRY(
      splice(s->source.fd, NULL, f->target.fd, NULL, PIECE, SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
  if (length > 0)
    the_monitor.written += (uint64_t)length;
  if (length == -EAGAIN && !is_empty(s))
    return -ENOSPC;
  if (length >= 0 || length == -EAGAIN)
    return length;
  f->copies = true; /* a terminal, or a file that is appended to */
  return copy(s);
}

static void target_ready(struct source *source, uint32_t events) {
  struct forward *f = (struct forward *)source;
  struct stream *s = f->stream;
  (void)events;
  loop_forget(&f->target);
  f->waits = false;
  int fd = s->source.fd;
  if (loop_add(&s->source, fd, EPOLLIN, stream_ready) == 0) {
    stream_ready(&s->source, 0);
    return;
  }
  close(fd);
  stream_close(s);
}

/* The source is not looked at meanwhile, not even its end. */
static void wait_for_room(struct stream *s) {
  struct forward *f = s->forward;
  loop_forget(&s->source);
  f->waits = true;
  int fd = f->target.fd;
  if (loop_add(&f->target, fd, EPOLLOUT, target_ready) != 0) {
    close(fd);
    stream_close(s);
  }
}

long forward_drain(struct stream *s) {
  if (s->forward->waits)
    return -EAGAIN; /* it goes on by itself */
  return forward_some(s, DRAIN_PIECES);
}

long forward_some(struct stream *s, int most) {
  long length = 1;
  for (int i = 0; i < most && length > 0; i++)
    length = move(s);
  if (length != -ENOSPC)
    return length;
  wait_for_room(s);
  return -EAGAIN;
}

static int forward_make(struct stream *s, int32_t *source, int32_t *target) {
  struct forward *f = calloc(1, sizeof *f);
  if (!f)
    return -ENOMEM;
  f->stream = s;
  f->target.fd = *target;
  *target = -1;
  fcntl(f->target.fd, F_SETFL, fcntl(f->target.fd, F_GETFL) | O_NONBLOCK);
  s->forward = f;
  if (source) {
    fcntl(*source, F_SETFL, O_RDONLY | O_NONBLOCK);
    s->source.fd = *source;
    *source = -1;
  }
  return 0;
}

/* What a terminal reads. */
static void feed_ready(struct source *source, uint32_t events) {
  struct process *p = (struct process *)((char *)source - offsetof(struct process, feed));
  (void)events;
  if (p->input.source.fd < 0 || !input_has_room(p)) { /* it may have no terminal yet */
    loop_forget(source);
    p->feed_waits = true;
    return;
  }
  long length = RETRY(read(source->fd, scratch, BODY_INPUT_MAX));
  if (length > 0)
    input_put(p, scratch, (size_t)length);
  else if (length != -EAGAIN)
    loop_remove(source);
}

void feed_go_on(struct process *p) {
  if (!p->feed_waits)
    return;
  p->feed_waits = false;
  int fd = p->feed.fd;
  if (loop_add(&p->feed, fd, EPOLLIN, feed_ready) != 0)
    close(fd);
}

void feed_begin(struct process *p) {
  p->feed_waits = p->feed.fd >= 0;
  feed_go_on(p);
}

void feed_close(struct process *p) {
  if (p->keep >= 0)
    close(p->keep);
  p->keep = -1;
  if (p->feed_waits)
    close(p->feed.fd);
  else
    loop_remove(&p->feed);
  p->feed_waits = false;
  p->feed.fd = -1;
}

bool keep_close(struct process *p) {
  if (p->keep < 0)
    return false;
  close(p->keep);
  p->keep = -1;
  return true;
}

static bool has(uint32_t flags, uint32_t flag) {
  return (flags & flag) != 0;
}

static int check_flags(const struct process *p, uint32_t flags, uint32_t count) {
  bool sources = has(flags, BODY_FORWARD_OUT_SOURCE) || has(flags, BODY_FORWARD_ERR_SOURCE);
  bool out = has(flags, BODY_FORWARD_OUT_SOURCE) == has(flags, BODY_FORWARD_OUT_TARGET);
  bool err = has(flags, BODY_FORWARD_ERR_SOURCE) == has(flags, BODY_FORWARD_ERR_TARGET);
  if (flags >= 1u << BODY_FORWARD_MAX || (uint32_t)__builtin_popcount(flags) != count || !err)
    return -EINVAL;
  if (p->terminal ? sources : !out || has(flags, BODY_FORWARD_STDIN))
    return -EINVAL;
  return p->pid != 0 || p->keep >= 0 || p->output[0].forward || p->output[1].forward ? -EBUSY : 0;
}

int forward(struct process *p, uint32_t flags, int32_t *fds, uint32_t count) {
  int32_t *given[BODY_FORWARD_MAX] = {NULL};
  uint32_t next = 0;
  int error = check_flags(p, flags, count);
  for (int i = 0; i < BODY_FORWARD_MAX && error == 0; i++)
    if (flags & 1u << i)
      given[i] = &fds[next++];
  if (error == 0 && given[3])
    error = forward_make(&p->output[0], given[2], given[3]);
  if (error == 0 && given[5])
    error = forward_make(&p->output[1], given[4], given[5]);
  if (error != 0)
    return error;
  if (given[0]) {
    p->feed.fd = *given[0];
    fcntl(p->feed.fd, F_SETFL, O_RDONLY | O_NONBLOCK);
    *given[0] = -1;
  }
  if (given[1]) {
    p->keep = *given[1];
    *given[1] = -1;
  }
  return 0;
}

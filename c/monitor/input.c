/* What programs read: bytes wait here while a program does not take them, and whoever sends more waits. */
#define _GNU_SOURCE 1
#include <string.h>
#include <sys/epoll.h>

#include "monitor.h"

bool input_has_room(const struct process *p) {
  return p->input.start == p->input.end;
}

static void input_forget(struct input *in) {
  unmap_memory(in->bytes, BODY_INPUT_MAX);
  in->bytes = NULL;
  in->start = in->end = 0;
}

void input_close(struct process *p) {
  input_forget(&p->input);
  loop_remove(&p->input.source);
}

/* How many bytes the program took; all of them when it takes none any more. */
static size_t write_some(int fd, const uint8_t *bytes, size_t length) {
  size_t done = 0;
  while (done < length) {
    long written = RETRY(write(fd, bytes + done, length - done));
    if (written == -EAGAIN)
      return done;
    if (written < 0)
      return length;
    done += (size_t)written;
  }
  return done;
}

static struct process *process_of(struct source *source) {
  return (struct process *)((char *)source - offsetof(struct process, input));
}

/* Before it is closed it gets what those attached have sent. */
static void go_on(struct process *p) {
  if (p->input.closing && !attach_take(p))
    return;
  if (p->input.closing)
    input_close(p);
  attach_input(p, true);
}

static void input_ready(struct source *source, uint32_t events) {
  struct process *p = process_of(source);
  struct input *in = &p->input;
  (void)events;
  in->start += write_some(source->fd, in->bytes + in->start, in->end - in->start);
  if (in->start < in->end)
    return;
  loop_forget(source);
  input_forget(in);
  go_on(p);
}

void input_put(struct process *p, const uint8_t *bytes, size_t length) {
  struct input *in = &p->input;
  if (in->source.fd < 0)
    return;
  size_t done = write_some(in->source.fd, bytes, length);
  if (done == length || !(in->bytes = map_memory(BODY_INPUT_MAX)))
    return;
  memcpy(in->bytes, bytes + done, length - done);
  in->end = length - done;
  int fd = in->source.fd;
  if (loop_add(&in->source, fd, EPOLLOUT, input_ready) == 0)
    attach_input(p, false);
  else
    close(fd);
}

void input_finish(struct process *p) {
  if (keep_close(p))
    return;
  if (p->terminal || p->input.source.fd < 0 || p->input.closing)
    return;
  p->input.closing = true;
  if (input_has_room(p))
    go_on(p);
}

/* Reading what programs write. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "sink.h"

#define READS_A_TURN 8
/* More than a pipe holds whose room the program has raised to the most that a user may have. */
#define DRAIN_READS (2 * (1 << 20) / READ_LEAST)

/* As big as pipes are: more room was no quicker, and what a user may have of it has a limit for all. */
static int make_pipe(int fds[2], int ours) {
  if (pipe2(fds, O_CLOEXEC) != 0)
    return -errno;
  fcntl(fds[ours], F_SETFL, O_NONBLOCK | (ours ? O_WRONLY : O_RDONLY));
  return 0;
}

int streams_make(struct process *p, bool input, int32_t *stdio) {
  int32_t made[3] = {stdio[0], stdio[1], stdio[2]};
  for (int i = input ? 0 : 1; i < 3; i++) {
    int fds[2], error = make_pipe(fds, i == 0);
    if (error != 0) {
      while (--i >= (input ? 0 : 1))
        close(made[i]);
      return error;
    }
    made[i] = fds[i != 0];
    if (i == 0)
      p->input.source.fd = fds[1];
    else
      p->output[i - 1].source.fd = fds[0];
  }
  memcpy(stdio, made, sizeof made);
  return 0;
}

void stream_close(struct stream *s) {
  forward_free(s);
  if (s->source.fd < 0)
    return;
  loop_remove(&s->source);
  if (s->process->log)
    log_end(s->process->log, &s->line, s->number, time_now());
}

/* What was read, or 0 at the end, or -EAGAIN. */
static long stream_read(struct stream *s) {
  uint8_t *bytes = scratch + s->line.length;
  long length = RETRY(read(s->source.fd, bytes, READ_SIZE - s->line.length));
  if (length <= 0)
    return length;
  attach_output(s->process, s->number, bytes, (size_t)length);
  if (s->process->log)
    log_put(s->process->log, &s->line, s->number, bytes, (size_t)length, time_now());
  return length;
}

/* A terminal that nobody has open may be opened again: of that, and of nothing else, we are told. */
static void set_edge(struct stream *s, bool edge) {
  if (s->edge != edge)
    loop_change(&s->source, edge ? EPOLLIN | EPOLLET : EPOLLIN);
  s->edge = edge;
}

void stream_ready(struct source *source, uint32_t events) {
  struct stream *s = (struct stream *)source;
  long length = 1;
  (void)events;
  if (s->forward)
    length = forward_some(s, READS_A_TURN);
  for (int i = 0; !s->forward && i < READS_A_TURN && length > 0; i++)
    length = stream_read(s);
  bool unused = length == -EIO && s->process->terminal && !s->process->ended;
  set_edge(s, unused);
  if (length > 0 || length == -EAGAIN || unused)
    return;
  stream_close(s);
  process_settle(s->process);
}

void streams_begin(struct process *p) {
  for (int i = 0; i < 2; i++) {
    struct source *source = &p->output[i].source;
    int fd = source->fd;
    if (fd >= 0 && loop_add(source, fd, EPOLLIN, stream_ready) != 0)
      close(fd);
  }
}

void streams_drain(struct process *p) {
  for (int i = 0; i < 2; i++) {
    struct stream *s = &p->output[i];
    long length = s->source.fd < 0 ? -EAGAIN : 1;
    if (length > 0 && s->forward)
      length = forward_drain(s);
    for (int reads = 0; length > 0 && reads < DRAIN_READS; reads++)
      length = stream_read(s);
    if (length <= 0 && length != -EAGAIN)
      stream_close(s);
  }
}

void streams_rest(struct process *p) {
  for (int i = 0; i < 2; i++)
    line_rest(&p->output[i].line);
}

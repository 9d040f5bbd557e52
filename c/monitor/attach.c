/* Clients of a program's streams. */
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "monitor.h"

#define READS (EPOLLIN | EPOLLRDHUP)

struct client {
  struct source source;
  struct client *next;
  struct process *process;
  bool input;
  bool plain;       /* a terminal or the like: no packets */
  bool paused;      /* not even its end is looked at before what it has sent */
  uint64_t skipped; /* bytes of output that it was too slow for */
};

static void client_end(struct client *c) {
  struct client **at = &c->process->clients;
  while (*at != c)
    at = &(*at)->next;
  *at = c->next;
  loop_remove(&c->source);
  free(c);
}

/* Takes a packet that it has sent: false when there is none, or it is gone. */
static bool client_take(struct client *c) {
  int fd = c->source.fd;
  long length = c->plain ? RETRY(read(fd, scratch, BODY_INPUT_MAX))
                         : RECEIVE(recv(fd, scratch, BODY_INPUT_MAX, MSG_DONTWAIT | MSG_TRUNC));
  if (length == -EAGAIN)
    return false;
  if (length <= 0 || length > BODY_INPUT_MAX) {
    client_end(c);
    return false;
  }
  if (c->input)
    input_put(c->process, scratch, (size_t)length);
  return true;
}

static bool client_send(struct client *c, uint8_t stream, const uint8_t *bytes, size_t length) {
  if (c->plain)
    return stream == BODY_STREAM_LOST || RETRY(write(c->source.fd, bytes, length)) != -EAGAIN;
  struct iovec parts[] = {{&stream, sizeof stream}, {(void *)(uintptr_t)bytes, length}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  return RETRY(sendmsg(c->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)) != -EAGAIN;
}

/* Who was too slow is told of it as soon as there is room. */
static uint32_t client_events(const struct client *c) {
  return c->skipped > 0 ? READS | EPOLLOUT : READS;
}

static void client_tell_lost(struct client *c) {
  const uint8_t *skipped = (const uint8_t *)&c->skipped;
  if (c->skipped == 0 || !client_send(c, BODY_STREAM_LOST, skipped, sizeof c->skipped))
    return;
  c->skipped = 0;
  loop_change(&c->source, client_events(c));
}

static void client_ready(struct source *source, uint32_t events) {
  struct client *c = (struct client *)source;
  if (events & EPOLLOUT)
    client_tell_lost(c);
  if (events & ~(uint32_t)EPOLLOUT)
    client_take(c);
}

static int client_listen(struct client *c, int fd) {
  int error = loop_add(&c->source, fd, client_events(c), client_ready);
  if (error != 0)
    close(fd);
  return error;
}

bool attach_take(struct process *p) {
  for (struct client *c = p->clients, *next; c; c = next) {
    next = c->next;
    while (c->input && input_has_room(p) && client_take(c))
      continue;
  }
  return input_has_room(p);
}

static void client_output(struct client *c, uint8_t stream, const uint8_t *bytes, size_t length) {
  client_tell_lost(c);
  if (c->skipped == 0 && client_send(c, stream, bytes, length))
    return;
  c->skipped += length;
  loop_change(&c->source, client_events(c));
  the_monitor.skipped += length;
}

static void replay_keep(struct process *p, const uint8_t *bytes, size_t length) {
  const size_t size = p->replay_size;
  if (!p->replay && !(p->replay = map_memory(size)))
    return;
  if (length > size) {
    bytes += length - size;
    length = size;
  }
  size_t at = p->replayed % size;
  size_t first = length < size - at ? length : size - at;
  memcpy(p->replay + at, bytes, first);
  memcpy(p->replay, bytes + first, length - first);
  p->replayed += length;
}

/* No packet has more than BODY_REPLAY_MAX. */
static void send_parts(struct client *c, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    size_t part = length < BODY_REPLAY_MAX ? length : BODY_REPLAY_MAX;
    client_output(c, BODY_STREAM_STDOUT, bytes, part);
    bytes += part;
    length -= part;
  }
}

static void replay_send(const struct process *p, struct client *c) {
  size_t at = p->replayed % p->replay_size;
  if (p->replayed > p->replay_size)
    send_parts(c, p->replay + at, p->replay_size - at);
  send_parts(c, p->replay, at);
}

static void replay_forget(struct process *p) {
  unmap_memory(p->replay, p->replay_size);
  p->replay = NULL;
}

int replay_size(struct process *p, uint32_t size) {
  if (size == 0 || size > BODY_KEEP_MAX)
    return -EINVAL;
  replay_forget(p);
  p->replayed = 0;
  p->replay_size = size;
  return 0;
}

void attach_output(struct process *p, uint8_t stream, const uint8_t *bytes, size_t length) {
  if (p->terminal)
    replay_keep(p, bytes, length);
  for (struct client *c = p->clients; c; c = c->next)
    client_output(c, stream, bytes, length);
}

static void pause_client(struct client *c, bool paused) {
  if (c->paused == paused || !c->input)
    return;
  c->paused = paused;
  if (paused)
    loop_forget(&c->source);
  else
    client_listen(c, c->source.fd);
}

void attach_input(struct process *p, bool wanted) {
  if (wanted)
    feed_go_on(p);
  for (struct client *c = p->clients; c; c = c->next)
    pause_client(c, !wanted);
}

void attach_end(struct process *p) {
  while (p->clients)
    client_end(p->clients);
  replay_forget(p);
}

bool is_attended(const struct process *p) {
  for (const struct client *c = p->clients; c; c = c->next)
    if (c->input)
      return true;
  return false;
}

/* The descriptor is the client's; where there is an error it is closed. */
static int client_make(struct process *p, uint32_t flags, int fd, bool plain) {
  struct client *c = calloc(1, sizeof *c);
  if (!c)
    close(fd);
  int error = c ? client_listen(c, fd) : -ENOMEM;
  if (error != 0) {
    free(c);
    return error;
  }
  c->process = p;
  c->input = flags & BODY_ATTACH_STDIN;
  c->plain = plain;
  c->next = p->clients;
  p->clients = c;
  pause_client(c, !input_has_room(p));
  if (flags & BODY_ATTACH_REPLAY)
    replay_send(p, c);
  return 0;
}

int attach_given(struct process *p, uint32_t flags, int32_t *fd) {
  int given = *fd;
  *fd = -1;
  return client_make(p, flags, given, true);
}

int attach(struct process *p, uint32_t flags, int32_t *end) {
  int fds[2];
  int error = RETRY(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
  if (error == 0 && (error = client_make(p, flags, fds[0], false)) != 0)
    close(fds[1]);
  if (error == 0)
    *end = fds[1];
  return error;
}

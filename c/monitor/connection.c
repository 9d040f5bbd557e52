/* Brains: whoever has connected. */
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "monitor.h"

static struct source listening = {.fd = -1};
static struct connection *connections;
static int spare; /* a descriptor that can be done without */

union rights {
  struct cmsghdr header; /* for its alignment */
  char bytes[CMSG_SPACE(BODY_FDS_MAX * sizeof(int32_t))];
};

void connection_drop_places(struct connection *c) {
  for (uint32_t i = 0; c->places && i < PLACES_MAX; i++)
    if (c->places[i] >= 0)
      close(c->places[i]);
  free(c->places);
  c->places = NULL;
}

static void connection_end(struct connection *c) {
  struct connection **at = &connections;
  while (*at != c)
    at = &(*at)->next;
  *at = c->next;
  loop_remove(&c->source);
  connection_drop_places(c);
  processes_of_end(c);
  link_ended(c);
  free(c);
}

/* A peer that has no room for what it is told does not read: the loop finds it hung up. */
void connection_send(struct connection *c, const void *bytes, size_t length, const int32_t *fds,
                     uint32_t count) {
  union rights control = {.bytes = {0}};
  struct iovec data = {(void *)(uintptr_t)bytes, length};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
  }
  if (RETRY(sendmsg(c->source.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0)
    shutdown(c->source.fd, SHUT_RDWR);
}

static void close_all(int32_t *fds, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (fds[i] >= 0)
      close(fds[i]);
}

void connection_reply(struct connection *c, struct reply *reply) {
  size_t size = sizeof reply->head + (reply->head.result == 0 ? reply->size : 0);
  connection_send(c, reply, size, reply->fds, reply->fd_count);
  close_all(reply->fds, reply->fd_count);
}

static void answer(struct connection *c, const uint8_t *bytes, size_t length, int32_t *fds,
                   uint32_t count, int error) {
  static struct request request;
  struct reply reply = {0};
  int decoded = packet_decode(bytes, length, count, &request);
  if (error == 0)
    error = decoded;
  reply.head.operation = request.header.operation;
  reply.head.request = request.header.request;
  int result = error ? error : perform(c, &request, fds, count, &reply);
  close_all(fds, count);
  reply.head.result = result;
  if (result <= 0)
    connection_reply(c, &reply);
}

static uint32_t detach(struct msghdr *message, int32_t *fds) {
  uint32_t found = 0;
  for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
      continue;
    size_t size = h->cmsg_len - CMSG_LEN(0);
    memcpy(fds + found, CMSG_DATA(h), size);
    found += (uint32_t)(size / sizeof *fds);
  }
  return found;
}

/* One packet a turn: nobody waits long for another's. */
static void connection_ready(struct source *source, uint32_t events) {
  (void)events;
  struct connection *c = (struct connection *)source;
  static _Alignas(8) uint8_t bytes[BODY_PACKET_MAX];
  int32_t fds[BODY_FDS_MAX];
  union rights control;
  struct iovec data = {bytes, sizeof bytes};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  long length = RECEIVE(recvmsg(source->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
  if (length == -EAGAIN)
    return;
  if (length <= 0) {
    connection_end(c);
    return;
  }
  uint32_t count = detach(&message, fds);
  int error = message.msg_flags & MSG_TRUNC    ? -EINVAL /* it is longer than any packet */
              : message.msg_flags & MSG_CTRUNC ? -EMFILE /* descriptors are missing */
                                               : 0;
  answer(c, bytes, (size_t)length, fds, count, error);
}

int connection_take(int fd, struct connection **taken) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid()) {
    close(fd);
    return -EPERM;
  }
  struct connection *c = calloc(1, sizeof *c);
  int error = c ? loop_add(&c->source, fd, EPOLLIN, connection_ready) : -ENOMEM;
  if (error < 0) {
    free(c);
    close(fd);
    return error;
  }
  c->next = connections;
  connections = c;
  if (taken)
    *taken = c;
  return 0;
}

/* Without a descriptor for it the peer would wait, and we would be told of it for ever. */
static void refuse(int socket) {
  close(spare);
  int fd = (int)RETRY(accept4(socket, NULL, NULL, SOCK_CLOEXEC));
  if (fd >= 0)
    close(fd);
  spare = (int)RETRY(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
}

static void listening_ready(struct source *source, uint32_t events) {
  (void)events;
  int fd = (int)RETRY(accept4(source->fd, NULL, NULL, SOCK_CLOEXEC));
  if (fd >= 0)
    connection_take(fd, NULL);
  else if (fd == -EMFILE || fd == -ENFILE)
    refuse(source->fd);
}

int listen_on(int fd) {
  spare = (int)RETRY(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  return loop_add(&listening, fd, EPOLLIN, listening_ready);
}

uint32_t connection_count(void) {
  uint32_t count = 0;
  for (struct connection *c = connections; c; c = c->next)
    count++;
  return count;
}

void connections_tell(const void *bytes, size_t length) {
  for (struct connection *c = connections; c; c = c->next)
    if (c->subscribed)
      connection_send(c, bytes, length, NULL, 0);
}

/* Messages with descriptors (unix(7), SCM_RIGHTS). */
#define _GNU_SOURCE 1
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "monitor.h"

union control {
  struct cmsghdr header; /* for its alignment */
  char bytes[CMSG_SPACE(BODY_FDS_MAX * sizeof(int32_t))];
};

static void attach(struct msghdr *message, union control *control, const int32_t *fds,
                   uint32_t count) {
  *control = (union control){.bytes = {0}};
  message->msg_control = control;
  message->msg_controllen = CMSG_SPACE(count * sizeof *fds);
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof *fds);
  memcpy(CMSG_DATA(header), fds, count * sizeof *fds);
}

int message_send(int socket, const struct sockaddr_un *address, uint32_t address_length,
                 const uint8_t *bytes, uint32_t length, const int32_t *fds, uint32_t count,
                 int flags) {
  if (count > BODY_FDS_MAX)
    return -E2BIG;
  struct iovec data = {(void *)(uintptr_t)bytes, length};
  struct msghdr message = {
      .msg_name = (void *)(uintptr_t)address,
      .msg_namelen = address_length,
      .msg_iov = &data,
      .msg_iovlen = 1,
  };
  union control control;
  if (count > 0)
    attach(&message, &control, fds, count);
  return SEND(sendmsg(socket, &message, MSG_NOSIGNAL | flags));
}

int32_t rts_send_message(int32_t socket, const uint8_t *bytes, uint32_t length, const int32_t *fds,
                         uint32_t count) {
  if (count > RTS_MESSAGE_FDS)
    return -E2BIG;
  return message_send(socket, NULL, 0, bytes, length, fds, count, MSG_DONTWAIT);
}

int32_t rts_send_packet(int32_t socket, const uint8_t *bytes, uint32_t length, const int32_t *fds,
                        uint32_t count) {
  return message_send(socket, NULL, 0, bytes, length, fds, count, MSG_DONTWAIT);
}

/* Takes over the descriptors that came; those without room are closed. */
static void detach(struct msghdr *message, int32_t *fds, int32_t most) {
  int32_t found = 0;
  for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
      continue;
    size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int32_t);
    for (size_t i = 0; i < count; i++) {
      int32_t fd;
      memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
      if (found < most)
        fds[1 + found++] = fd;
      else
        close(fd);
    }
  }
  fds[0] = found;
}

static int receive(int socket, uint8_t *bytes, uint32_t size, int32_t *fds, int32_t most) {
  union control control;
  struct iovec data = {bytes, size};
  struct msghdr message = {
      .msg_iov = &data,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = CMSG_SPACE((size_t)most * sizeof(int32_t)),
  };
  int length = RECEIVE(recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
  if (length >= 0)
    detach(&message, fds, most);
  return length;
}

int32_t rts_receive_packet(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *fds) {
  return receive(socket, bytes, size, fds, BODY_FDS_MAX);
}

int32_t rts_receive_message(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *fds,
                            int32_t timeout_ms) {
  struct pollfd polled = {.fd = socket, .events = POLLIN};
  int ready = rts_poll(&polled, 1, timeout_ms);
  if (ready < 0)
    return ready;
  int length = ready == 0 ? -EAGAIN : receive(socket, bytes, size, fds, RTS_MESSAGE_FDS);
  return length == -EAGAIN ? -ETIMEDOUT : length;
}

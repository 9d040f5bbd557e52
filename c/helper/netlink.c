/*
 * rtnetlink(7) sockets. A socket belongs for ever to the network namespace that it was made in, so
 * a child that shares our descriptors enters the namespace, makes the socket and ends.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/signals.h"
#include "net.h"

#define CHILD_STACK 16384

static int make_socket(void) {
  return RETRY(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

/* The descriptor of the namespace, then that of the socket or -errno. */
static int child_main(void *data) {
  int *descriptor = data;
  int error = RETRY(syscall(SYS_setns, *descriptor, CLONE_NEWNET));
  *descriptor = error < 0 ? error : make_socket();
  return 0;
}

static int make_socket_in(int netns) {
  _Alignas(16) char stack[CHILD_STACK];
  int descriptor = netns;
  uint64_t mask = signals_mask(SIGNALS_ALL); /* no handler of ours may run in the child */
  int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES;
  int pid = clone(child_main, stack + sizeof stack, flags, &descriptor);
  int error = errno;
  signals_mask(mask);
  if (pid < 0)
    return -error;
  RETRY(waitpid(pid, NULL, __WALL));
  return descriptor;
}

/* Connected, it takes messages from nobody but the kernel. */
static int connect_kernel(int socket) {
  const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  return RETRY(connect(socket, (const struct sockaddr *)&kernel, sizeof kernel));
}

/* Errors then come with a text (Linux 4.12) and without the request. */
static int want_reasons(int socket) {
  const int on = 1;
  int error = RETRY(setsockopt(socket, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on));
  if (error == 0)
    error = RETRY(setsockopt(socket, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on));
  return error == -ENOPROTOOPT ? 0 : error;
}

int32_t rts_netlink_open(int32_t netns) {
  int socket = netns < 0 ? make_socket() : make_socket_in(netns);
  if (socket < 0)
    return socket;
  int error = connect_kernel(socket);
  if (error == 0)
    error = want_reasons(socket);
  if (error == 0)
    return socket;
  close(socket);
  return error;
}

/*
 * Whether a message of a datagram ends the answer. The last one need not be padded, so NLMSG_NEXT
 * would take more from the length than is left.
 */
static int is_last(const uint8_t *bytes, uint32_t length) {
  while (length >= sizeof(struct nlmsghdr)) {
    const struct nlmsghdr *message = (const void *)bytes;
    if (message->nlmsg_len < sizeof *message || message->nlmsg_len > length)
      return 0;
    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
      return 1;
    uint32_t step = NLMSG_ALIGN(message->nlmsg_len);
    if (step > length)
      return 0;
    bytes += step;
    length -= step;
  }
  return 0;
}

int32_t rts_netlink_ask(int32_t socket, const uint8_t *request, uint32_t length, uint8_t *reply,
                        uint32_t size) {
  int sent = RETRY(send(socket, request, length, 0));
  if (sent < 0)
    return sent;
  uint32_t used = 0;
  for (;;) {
    int received = RETRY(recv(socket, reply + used, size - used, MSG_TRUNC));
    if (received < 0)
      return received;
    if (received == 0 || (uint32_t)received > size - used)
      return -EMSGSIZE;
    const uint8_t *datagram = reply + used;
    used += NLMSG_ALIGN((uint32_t)received);
    if (used > size)
      return -EMSGSIZE;
    if (is_last(datagram, (uint32_t)received))
      return (int32_t)used;
  }
}

#define _GNU_SOURCE
#include "packet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "root.h"
#include "syscall.h"
#include "text.h"
#include "wait.h"

union rights {
  struct cmsghdr header; /* for its alignment */
  char bytes[CMSG_SPACE(BODY_FDS_MAX * sizeof(int32_t))];
};

void close_all(const int32_t *fds, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (fds[i] >= 0)
      sys1(SYS_CLOSE, fds[i]);
}

/* A name without a file begins with '@' (sd_notify(3)). */
static long put_abstract(struct sockaddr_un *to, const char *name) {
  size_t size = length(name);
  to->sun_family = AF_UNIX;
  if (size > sizeof to->sun_path)
    return -ENAMETOOLONG;
  put_bytes(to->sun_path, name, size);
  to->sun_path[0] = 0;
  return (long)(offsetof(struct sockaddr_un, sun_path) + size);
}

/* What is too long for an address is reached through its directory. */
static long put_address(struct sockaddr_un *to, const char *path, long *directory) {
  const char *name = path;
  char *at = to->sun_path;
  to->sun_family = AF_UNIX;
  if (length(path) < sizeof to->sun_path) {
    put_string(at, path);
    return sizeof *to;
  }
  char parent[PATH_ROOM];
  if (length(path) >= sizeof parent)
    return -ENAMETOOLONG;
  put_string(parent, path);
  for (char *c = parent; *c; c++)
    if (*c == '/')
      name = path + (c - parent) + 1;
  if (name == path || length(name) + FD_PATH_ROOM >= sizeof to->sun_path)
    return -ENAMETOOLONG;
  parent[name - path] = 0;
  *directory = sys4(SYS_OPENAT, AT_FDCWD, (long)parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (*directory < 0)
    return *directory;
  put_string(put_string(put_fd_path(at, *directory), "/"), name);
  return sizeof *to;
}

/* A full backlog does not hold us up. */
static long connect_to(int type, const char *path) {
  struct sockaddr_un address;
  long directory = -1, fd, result;
  long size = type == SOCK_DGRAM && *path == '@' ? put_abstract(&address, path)
                                                 : put_address(&address, path, &directory);
  if (size < 0)
    return size;
  fd = result = sys3(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0)
    result = sys3(SYS_connect, fd, (long)&address, size);
  if (directory >= 0)
    sys1(SYS_CLOSE, directory);
  if (fd < 0 || result == 0)
    return fd;
  sys1(SYS_CLOSE, fd);
  return result;
}

long connect_stream(const char *path) {
  long fd = connect_to(SOCK_STREAM, path);
  if (fd >= 0)
    sys3(SYS_FCNTL, fd, F_SETFL, 0);
  return fd;
}

long connect_datagrams(const char *path) {
  return connect_to(SOCK_DGRAM, path);
}

long connect_packets(const char *path) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  long fd = connect_to(SOCK_SEQPACKET, path);
  if (fd < 0)
    return fd;
  long result = sys6(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, (long)&peer, (long)&size, 0);
  if (result == 0 && peer.uid == (uid_t)sys1(SYS_GETUID, 0))
    return fd;
  sys1(SYS_CLOSE, fd);
  return result < 0 ? result : -EPERM;
}

long send_packet(long socket, const struct iovec *pieces, unsigned count, const int32_t *fds,
                 uint32_t fd_count) {
  union rights control;
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
  if (fd_count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof *fds);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(fd_count * sizeof *fds);
    for (uint32_t i = 0; i < fd_count; i++)
      ((int32_t *)CMSG_DATA(&control.header))[i] = fds[i];
  }
  for (;;) {
    long sent = sys3(SYS_sendmsg, socket, (long)&message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != -EAGAIN && sent != -EINTR)
      return sent;
    struct pollfd room = {.fd = (int)socket, .events = POLLOUT};
    wait_for(&room, 1, FOR_EVER);
  }
}

static void take_descriptors(struct packet *packet, const struct msghdr *message) {
  const struct cmsghdr *header = message->msg_control;
  packet->count = 0;
  if (message->msg_controllen < sizeof *header || header->cmsg_type != SCM_RIGHTS)
    return;
  packet->count = (uint32_t)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int32_t));
  for (uint32_t i = 0; i < packet->count; i++)
    packet->fds[i] = ((const int32_t *)CMSG_DATA(header))[i];
}

long receive_packet(long socket, struct packet *packet) {
  union rights control;
  struct iovec data = {packet->bytes, sizeof packet->bytes};
  struct msghdr message = {
      .msg_iov = &data,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  long result;
  bool unread = false; /* ECONNRESET comes once, before what the peer said until its end */
  do
    result = sys3(SYS_recvmsg, socket, (long)&message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (result == -EINTR || (result == -ECONNRESET && !unread && (unread = true)));
  if (result <= 0)
    return result;
  packet->length = (uint32_t)result;
  take_descriptors(packet, &message);
  if (message.msg_flags & MSG_TRUNC)
    return -EMSGSIZE;
  return message.msg_flags & MSG_CTRUNC ? -EMFILE : result;
}

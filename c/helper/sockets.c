/* Unix sockets. A path that is too long for an address is reached through its directory. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "monitor.h"

#define BACKLOG 16

/* An address, and the directory that must stay open for it, or -1. */
struct address {
  struct sockaddr_un un;
  socklen_t length;
  int directory;
};

static int address_fill(struct address *to, const char *prefix, const char *path) {
  int length = snprintf(to->un.sun_path, sizeof to->un.sun_path, "%s%s", prefix, path);
  if (length < 0 || (size_t)length >= sizeof to->un.sun_path)
    return -ENAMETOOLONG;
  to->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length + 1);
  return 0;
}

static int open_parent(const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  if (!slash)
    return -ENAMETOOLONG;
  *name = slash + 1;
  char parent[4096];
  size_t length = slash == path ? 1 : (size_t)(slash - path);
  if (length >= sizeof parent)
    return -ENAMETOOLONG;
  memcpy(parent, path, length);
  parent[length] = '\0';
  return rts_open(parent, O_PATH | O_DIRECTORY, 0);
}

static int address_make(struct address *to, const char *path) {
  *to = (struct address){.un.sun_family = AF_UNIX, .directory = -1};
  if (address_fill(to, "", path) == 0)
    return 0;
  const char *name = path;
  to->directory = open_parent(path, &name);
  if (to->directory < 0)
    return to->directory;
  char prefix[64];
  snprintf(prefix, sizeof prefix, "/proc/self/fd/%d/", to->directory);
  int error = address_fill(to, prefix, name);
  if (error != 0)
    close(to->directory);
  return error;
}

static int address_abstract(struct address *to, const char *path) {
  *to = (struct address){.un.sun_family = AF_UNIX, .directory = -1};
  int error = address_fill(to, "", path);
  if (error != 0)
    return error;
  to->un.sun_path[0] = '\0';
  to->length--; /* the name has no terminator */
  return 0;
}

static void address_done(struct address *to) {
  if (to->directory >= 0)
    close(to->directory);
}

static int make_socket(int type) {
  return RETRY(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
}

static int set_blocking(int fd) {
  int flags = RETRY(fcntl(fd, F_GETFL));
  return flags < 0 ? flags : RETRY(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

static int connect_to(int type, const char *path) {
  struct address to;
  int error = address_make(&to, path);
  if (error != 0)
    return error;
  int fd = make_socket(type | SOCK_NONBLOCK); /* a full backlog does not hold us up */
  if (fd >= 0) {
    error = RETRY(connect(fd, (struct sockaddr *)&to.un, to.length));
    if (error == 0)
      error = set_blocking(fd);
    if (error != 0) {
      close(fd);
      fd = error;
    }
  }
  address_done(&to);
  return fd;
}

int32_t rts_connect_unix(const char *path) {
  return connect_to(SOCK_STREAM, path);
}

int32_t rts_connect_packets(const char *path) {
  return connect_to(SOCK_SEQPACKET, path);
}

/* A container may write to the directory: a link in the socket's place is not followed. */
static int set_mode(const char *path, uint32_t mode) {
  int fd = rts_open(path, O_PATH | O_NOFOLLOW, 0);
  if (fd < 0)
    return fd;
  char self[32];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  int error = RETRY(chmod(self, mode));
  close(fd);
  return error;
}

static int bind_at(int type, const char *path, uint32_t mode) {
  struct address at;
  int error = address_make(&at, path);
  if (error != 0)
    return error;
  int fd = make_socket(type);
  if (fd >= 0) {
    error = RETRY(bind(fd, (struct sockaddr *)&at.un, at.length));
    if (error == 0)
      error = set_mode(at.un.sun_path, mode);
    if (error == 0 && type != SOCK_DGRAM)
      error = RETRY(listen(fd, BACKLOG));
    if (error != 0) {
      close(fd);
      fd = error;
    }
  }
  address_done(&at);
  return fd;
}

int32_t rts_listen_unix(const char *path, uint32_t mode) {
  return bind_at(SOCK_STREAM, path, mode);
}

int32_t rts_listen_packets(const char *path, uint32_t mode) {
  return bind_at(SOCK_SEQPACKET, path, mode);
}

int32_t rts_bind_datagram(const char *path, uint32_t mode) {
  return bind_at(SOCK_DGRAM, path, mode);
}

int32_t rts_accept(int32_t socket, int32_t timeout_ms) {
  struct pollfd polled = {.fd = socket, .events = POLLIN};
  int ready = rts_poll(&polled, 1, timeout_ms);
  if (ready < 0)
    return ready;
  return ready == 0 ? -ETIMEDOUT : RETRY(accept4(socket, NULL, NULL, SOCK_CLOEXEC));
}

int32_t rts_socketpair(int32_t *fds) {
  return RETRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
}

int32_t rts_packet_pair(int32_t *fds) {
  return RETRY(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds));
}

static int limit_waiting(int socket, uint32_t ms) {
  struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  return RETRY(setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
}

int32_t rts_send_datagram(const char *path, const uint8_t *bytes, uint32_t length,
                          const int32_t *fds, uint32_t count, uint32_t timeout_ms) {
  struct address to;
  int error = path[0] == '@' ? address_abstract(&to, path) : address_make(&to, path);
  if (error != 0)
    return error;
  int fd = make_socket(SOCK_DGRAM);
  if (fd < 0) {
    address_done(&to);
    return fd;
  }
  if (timeout_ms > 0)
    limit_waiting(fd, timeout_ms);
  int flags = timeout_ms > 0 ? 0 : MSG_DONTWAIT;
  int sent = message_send(fd, &to.un, to.length, bytes, length, fds, count, flags);
  close(fd);
  address_done(&to);
  if (sent >= 0)
    return 0;
  return sent == -EAGAIN && timeout_ms > 0 ? -ETIMEDOUT : sent;
}

#define _GNU_SOURCE 1
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "helper.h"

#define PEER_PIDFD 77 /* SO_PEERPIDFD of asm-generic/socket.h */

enum { PEER_PID, PEER_UID, PEER_GID, PEER_DESCRIPTOR, PEER_IS_CERTAIN };

int32_t rts_peer(int32_t socket, int32_t *peer) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  int pidfd = -1;
  long error = RETRY(getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size));
  if (error < 0)
    return (int32_t)error;
  size = sizeof pidfd;
  error = RETRY(getsockopt(socket, SOL_SOCKET, PEER_PIDFD, &pidfd, &size));
  peer[PEER_IS_CERTAIN] = error == 0;
  if (error == -ENOPROTOOPT)
    error = pidfd = rts_pidfd_open(credentials.pid);
  if (error < 0)
    return (int32_t)error;
  peer[PEER_PID] = credentials.pid;
  peer[PEER_UID] = (int32_t)credentials.uid;
  peer[PEER_GID] = (int32_t)credentials.gid;
  peer[PEER_DESCRIPTOR] = pidfd;
  return 0;
}

int32_t rts_hear_senders(int32_t socket, int32_t on) {
  return (int32_t)RETRY(setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
}

/* The sender that the kernel names, or 0; descriptors are not wanted. */
static pid_t sender_of(struct msghdr *message) {
  pid_t sender = 0;
  for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
    struct ucred credentials;
    int32_t fd;
    if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS) {
      memcpy(&credentials, CMSG_DATA(h), sizeof credentials);
      sender = credentials.pid;
    }
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
      continue;
    for (size_t at = CMSG_LEN(0); at < h->cmsg_len; at += sizeof fd) {
      memcpy(&fd, (char *)h + at, sizeof fd);
      close(fd);
    }
  }
  return sender;
}

int32_t rts_receive_sent(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *sender) {
  union {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(struct ucred))];
  } control;
  struct iovec data = {bytes, size};
  struct msghdr message = {
      .msg_iov = &data,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  int length = (int)RECEIVE(recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
  *sender = length < 0 ? 0 : sender_of(&message);
  return length;
}

static const char *const namespaces[] = {
    "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children",
    "user",   "uts",
};

/* Texts as they are put one behind the other. */
struct texts {
  char *at, *end;
};

/* Room for a text and its NUL; NULL where there is none. */
static int put(struct texts *to, long length) {
  if (length < 0)
    length = 0;
  if (to->end - to->at <= length)
    return -EMSGSIZE;
  to->at[length] = '\0';
  to->at += length + 1;
  return 0;
}

static int put_link(struct texts *to, int process, const char *name) {
  return put(to, readlinkat(process, name, to->at, (size_t)(to->end - to->at)));
}

static int put_identity(struct texts *to, int process, const char *name) {
  struct stat st;
  size_t room = (size_t)(to->end - to->at);
  if (fstatat(process, name, &st, 0) != 0)
    return put(to, 0);
  return put(to, snprintf(to->at, room, "%llx:%llu", (unsigned long long)st.st_dev,
                          (unsigned long long)st.st_ino));
}

static int put_file(struct texts *to, int process, const char *name) {
  CLEANUP_FD int fd = (int)RETRY(openat(process, name, O_RDONLY | O_CLOEXEC));
  long length = 0, count = 0;
  do {
    length += count;
    count = fd < 0 ? 0 : RETRY(read(fd, to->at + length, (size_t)(to->end - to->at - length)));
  } while (count > 0);
  while (length > 0 && (to->at[length - 1] == '\n' || to->at[length - 1] == '\0'))
    length--;
  return put(to, length);
}

int32_t rts_process(int32_t pid, uint8_t *texts, uint32_t size) {
  char path[32];
  struct texts to = {(char *)texts, (char *)texts + size};
  snprintf(path, sizeof path, "/proc/%d", pid);
  CLEANUP_FD int process = (int)RETRY(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (process < 0)
    return process;
  int error = put_link(&to, process, "root");
  if (error == 0)
    error = put_identity(&to, process, "root");
  if (error == 0)
    error = put_file(&to, process, "attr/current");
  for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces && error == 0; i++) {
    snprintf(path, sizeof path, "ns/%s", namespaces[i]);
    error = put_identity(&to, process, path);
  }
  if (error == 0)
    error = put_link(&to, process, "cwd");
  if (error == 0)
    error = put_file(&to, process, "cgroup");
  if (error == 0)
    error = put_file(&to, process, "status");
  return error < 0 ? error : (int32_t)(to.at - (char *)texts);
}

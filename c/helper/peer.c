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

#define PEER_PIDFD 77 /* SO_PEERPIDFD of asm-generic/socket.h */

enum { PEER_PID, PEER_UID, PEER_GID, PEER_DESCRIPTOR };

int32_t rts_peer(int32_t socket, int32_t *peer) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  int pidfd = -1;
  long error = RETRY(getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size));
  if (error < 0)
    return (int32_t)error;
  size = sizeof pidfd;
  error = RETRY(getsockopt(socket, SOL_SOCKET, PEER_PIDFD, &pidfd, &size));
  if (error < 0)
    return (int32_t)error;
  peer[PEER_PID] = credentials.pid;
  peer[PEER_UID] = (int32_t)credentials.uid;
  peer[PEER_GID] = (int32_t)credentials.gid;
  peer[PEER_DESCRIPTOR] = pidfd;
  return 0;
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
    error = put_file(&to, process, "status");
  return error < 0 ? error : (int32_t)(to.at - (char *)texts);
}

#define _GNU_SOURCE 1
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/retry.h"

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

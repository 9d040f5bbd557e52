/* Who is at the other end of a socket. */
#ifndef RUNTS_PEER_H
#define RUNTS_PEER_H

#include <stdint.h>

/*
 * peer.c. The process that has connected, as it was then: pid, uid, gid and a pidfd (Linux 6.5), which cannot
 * come to mean another process. -ENOPROTOOPT before, -EINVAL or -ESRCH once it has been reaped.
 */
int32_t rts_peer(int32_t socket, int32_t *peer);

#endif

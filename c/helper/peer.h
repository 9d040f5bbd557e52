/* Who is at the other end of a socket. */
#ifndef RUNTS_PEER_H
#define RUNTS_PEER_H

#include <stdint.h>

/*
 * peer.c. The process that has connected, as it was then: pid, uid, gid, a pidfd, and whether that is certain: before
 * Linux 6.5 the pid may have come to mean another process. -EINVAL or -ESRCH once it has been reaped.
 */
int32_t rts_peer(int32_t socket, int32_t *peer);

/* Whether the kernel says of each message who has sent it. */
int32_t rts_hear_senders(int32_t socket, int32_t on);
/* A packet that is there, as rts_receive_packet, without descriptors; `sender`: the pid, 0 for nobody that has one here. */
int32_t rts_receive_sent(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *sender);

/*
 * What a process is, as texts that each end in NUL: where its root directory is and which it is, its security
 * label, its namespaces in the order of their names, its working directory, /proc/PID/cgroup and status. What a file is, is its device and
 * number (stat(2)); empty: it cannot be told. The length of all of it, or -EMSGSIZE.
 */
int32_t rts_process(int32_t pid, uint8_t *texts, uint32_t size);

#endif

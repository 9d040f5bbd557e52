/* Packets with descriptors (unix(7), SOCK_SEQPACKET). Results are a value or a negative error number. */
#ifndef RUNTS_FRONT_PACKET_H
#define RUNTS_FRONT_PACKET_H

#include <stdint.h>
#include <sys/uio.h>

#include "../include/body.h"

struct packet {
  uint32_t length;
  uint32_t count; /* of descriptors */
  int32_t fds[BODY_FDS_MAX];
  _Alignas(8) uint8_t bytes[BODY_PACKET_MAX];
};

/* Connects to a socket of this user's; -EPERM for another's. */
long connect_packets(const char *path);

/* Connects a stream. -EAGAIN when nobody has accepted all that came before. */
long connect_stream(const char *path);

/* For datagrams to it. */
long connect_datagrams(const char *path);

/* Waits for room. Pieces are sent as one packet. */
long send_packet(long socket, const struct iovec *pieces, unsigned count, const int32_t *fds,
                 uint32_t fd_count);

/*
 * The next packet that is there: its length, 0 at the end, -EAGAIN; -EMSGSIZE when it is longer than any,
 * -EMFILE when descriptors are missing.
 */
long receive_packet(long socket, struct packet *packet);

void close_all(const int32_t *fds, uint32_t count);

#endif

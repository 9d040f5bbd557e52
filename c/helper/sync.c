/* The conversation with init: one record a packet. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "../common/stop.h"
#include "helper.h"

/* Descriptors that the peer might attach are dropped. */
static int receive_now(int socket, uint8_t *record, uint32_t size) {
  int length = RECEIVE(recv(socket, record, size, MSG_DONTWAIT | MSG_TRUNC));
  if (length < 0)
    return length;
  if (length > (int)size)
    return -EMSGSIZE;
  return length > 0 && length < (int)sizeof(struct sync_header) ? -EBADMSG : length;
}

int32_t rts_receive(int32_t socket, uint8_t *record, uint32_t size, int32_t timeout_ms) {
  struct pollfd polled = {.fd = socket, .events = POLLIN};
  uint64_t start = clock_ms();
  for (;;) {
    int result = receive_now(socket, record, size);
    if (result >= 0)
      STOP("@heard");
    if (result != -EAGAIN)
      return result;
    int ready = rts_poll(&polled, 1, clock_left(start, timeout_ms));
    if (ready < 0)
      return ready;
    if (ready == 0)
      return -ETIMEDOUT;
  }
}

/* Init reads each record before it asks again, so there is always room for one. */
int32_t rts_send(int32_t socket, const uint8_t *record, uint32_t length) {
  if (length > SYNC_RECORD_MAX)
    return -EMSGSIZE;
  STOP("@answer");
  int sent = SEND(send(socket, record, length, MSG_DONTWAIT | MSG_NOSIGNAL));
  return sent < 0 ? sent : 0;
}

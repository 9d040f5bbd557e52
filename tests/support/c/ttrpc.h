/* Frames of ttrpc, as containerd sends and takes them. */
#ifndef TEST_TTRPC_H
#define TEST_TTRPC_H

#include <arpa/inet.h>

#include "brain.h"

#define HEAD 10

static inline void put_frame(int fd, uint32_t stream, uint8_t type, const char *text,
                             size_t length) {
  uint32_t numbers[2] = {htonl((uint32_t)length), htonl(stream)};
  uint8_t head[HEAD] = {0};
  memcpy(head, numbers, sizeof numbers);
  head[8] = type;
  NEED(send(fd, head, HEAD, MSG_NOSIGNAL) == HEAD);
  for (size_t done = 0; done < length;) {
    long sent = send(fd, text + done, length - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
      done += (size_t)sent;
    else
      work();
  }
}

/* The response of a stream: its bytes. */
static inline const char *take_answer(int fd, uint32_t stream, size_t *length) {
  static char bytes[70000];
  uint8_t head[HEAD];
  uint32_t numbers[2];
  work_until(fd);
  NEED(recv(fd, head, HEAD, MSG_WAITALL) == HEAD);
  memcpy(numbers, head, sizeof numbers);
  CHECK_NUMBER(ntohl(numbers[1]), stream);
  CHECK_NUMBER(head[8], 2);
  *length = ntohl(numbers[0]);
  NEED(*length < sizeof bytes);
  for (size_t done = 0; done < *length;) {
    work_until(fd);
    long more = recv(fd, bytes + done, *length - done, MSG_DONTWAIT);
    NEED(more > 0);
    done += (size_t)more;
  }
  bytes[*length] = '\0';
  return bytes;
}

#endif

/* Requests as they come: c/include/body.h. */
#ifndef MONITOR_PACKET_H
#define MONITOR_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "../include/body.h"

#define TEXTS_MAX 3

/* A request whose fields, texts and number of descriptors are those of its operation. */
struct request {
  struct body_header header;
  union {
    int32_t places[BODY_FDS_MAX];
    struct body_spawn spawn;
    int32_t pid;
    struct body_watch watch;
    uint64_t since;
    uint32_t flags;
    uint32_t size[2];
    int32_t fetch[2];
    uint64_t ms;
    struct body_answer answer;
  } fields;
  const char *text[TEXTS_MAX]; /* in the packet */
  const uint8_t *bytes;        /* likewise: what ANSWER has instead */
  size_t length;
};

/*
 * 0; -EOPNOTSUPP for an operation that is not known, -EINVAL for what is malformed. The header is
 * there whenever the packet has one.
 */
int packet_decode(const uint8_t *bytes, size_t length, uint32_t fd_count, struct request *request);

/* A file of BODY_COMMAND: 0, or -EINVAL. `texts`: the first of them. */
int command_decode(const uint8_t *bytes, size_t length, struct body_command *command,
                   const char **texts);

#endif

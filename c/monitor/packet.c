#define _GNU_SOURCE 1
#include "packet.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are little-endian");

/* What a request has: bytes of its fields, longest texts, and how many descriptors. */
static const struct shape {
  uint32_t operation;
  uint16_t size;
  uint16_t text[TEXTS_MAX];
  uint16_t fds, more_fds;
} shapes[] = {
    {.operation = BODY_HELLO},
    {.operation = BODY_FDS, .fds = 1, .more_fds = BODY_FDS_MAX - 1},
    {BODY_SPAWN, sizeof(struct body_spawn), {BODY_NAME_MAX}, 2, 3},
    {.operation = BODY_ENDING, .size = sizeof(int32_t)},
    {BODY_WATCH, sizeof(struct body_watch), {BODY_NAME_MAX, BODY_PATH_MAX, BODY_FIELDS_MAX}, 1, 1},
    {.operation = BODY_SUBSCRIBE, .size = sizeof(uint64_t)},
    {BODY_ATTACH, sizeof(uint32_t), {BODY_NAME_MAX}, 0, 1},
    {.operation = BODY_RESIZE, .size = 2 * sizeof(uint32_t), .text = {BODY_NAME_MAX}},
    {.operation = BODY_CLOSE_STDIN, .text = {BODY_NAME_MAX}},
    {.operation = BODY_REOPEN_LOG, .text = {BODY_NAME_MAX}},
    {.operation = BODY_STATUS},
    {.operation = BODY_COMMAND, .more_fds = 1},
    {.operation = BODY_WAKE, .size = sizeof(uint64_t)},
    {.operation = BODY_LEAVE},
    {.operation = BODY_FETCH, .size = 2 * sizeof(int32_t)},
    {.operation = BODY_TERMINAL, .text = {BODY_NAME_MAX}},
    {.operation = BODY_HOLD, .more_fds = BODY_HELD_MAX},
    {.operation = BODY_ON_END, .text = {BODY_NAME_MAX}},
    {.operation = BODY_KEEP, .size = sizeof(uint32_t), .text = {BODY_NAME_MAX}},
    {BODY_FORWARD, sizeof(uint32_t), {BODY_NAME_MAX}, 1, BODY_FORWARD_MAX - 1},
    {.operation = BODY_DRAIN, .size = sizeof(uint32_t), .text = {BODY_NAME_MAX}},
    {.operation = BODY_RUN, .fds = 1, .more_fds = BODY_RUN_MAX},
    {BODY_SHIM, sizeof(uint32_t), {BODY_NAME_MAX, BODY_PATH_MAX, BODY_PATH_MAX}, 2, 0},
    {.operation = BODY_ANSWER, .size = sizeof(struct body_answer), .more_fds = 1},
    {.operation = BODY_PARK, .size = sizeof(struct body_answer), .text = {BODY_NAME_MAX}},
    {.operation = BODY_BEGIN, .size = sizeof(struct body_answer)},
    {.operation = BODY_BRAIN, .more_fds = 1},
    {BODY_FIFO, sizeof(uint32_t), {BODY_NAME_MAX, BODY_PATH_MAX}, 0, 0},
};

static const struct shape *shape_of(uint32_t operation) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    if (shapes[i].operation == operation)
      return &shapes[i];
  return NULL;
}

/* The texts that are wanted, and nothing else. */
static int decode_texts(const uint8_t *bytes, size_t length, const struct shape *shape,
                        struct request *r) {
  size_t at = 0;
  for (int i = 0; i < TEXTS_MAX && shape->text[i] > 0; i++) {
    const uint8_t *end = memchr(bytes + at, 0, length - at);
    if (!end || end - (bytes + at) > shape->text[i])
      return -EINVAL;
    r->text[i] = (const char *)bytes + at;
    at = (size_t)(end - bytes) + 1;
  }
  return at == length ? 0 : -EINVAL;
}

int packet_decode(const uint8_t *bytes, size_t length, uint32_t fd_count, struct request *r) {
  *r = (struct request){0};
  if (length < sizeof r->header)
    return -EINVAL;
  memcpy(&r->header, bytes, sizeof r->header);
  bytes += sizeof r->header;
  length -= sizeof r->header;
  const struct shape *shape = shape_of(r->header.operation);
  if (!shape)
    return -EOPNOTSUPP;
  size_t size = shape->operation == BODY_FDS ? fd_count * sizeof(int32_t) : shape->size;
  if (fd_count < shape->fds || fd_count > (uint32_t)shape->fds + shape->more_fds || length < size)
    return -EINVAL;
  memcpy(&r->fields, bytes, size);
  if (shape->operation == BODY_ANSWER) { /* anything follows */
    r->bytes = bytes + size;
    r->length = length - size;
    return 0;
  }
  return decode_texts(bytes + size, length - size, shape, r);
}

int command_decode(const uint8_t *bytes, size_t length, struct body_command *command,
                   const char **texts) {
  if (length < sizeof *command)
    return -EINVAL;
  memcpy(command, bytes, sizeof *command);
  bytes += sizeof *command;
  length -= sizeof *command;
  uint64_t count = 0;
  for (size_t i = 0; i < length; i++)
    count += bytes[i] == 0;
  *texts = (const char *)bytes;
  bool ends = length > 0 && bytes[length - 1] == 0;
  bool counted = count == UINT64_C(2) + command->arguments + command->variables;
  return ends && counted && command->arguments > 0 ? 0 : -EINVAL;
}

/*
 * Fuzzing what a monitor decodes: requests, and files of commands. With libFuzzer (tests/fuzz/body.ts), or
 * without:
 *   body_fuzz [SEED RUNS]
 * tries mutations of requests of all operations.
 * links: c/monitor/packet.c
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../c/monitor/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void check_request(const uint8_t *data, size_t length, uint32_t fds) {
  static struct request request;
  int error = packet_decode(data, length, fds, &request);
  if (error != 0 && error != -EINVAL && error != -EOPNOTSUPP)
    abort();
  for (int i = 0; i < TEXTS_MAX && error == 0; i++) {
    const char *text = request.text[i];
    if (text && (const uint8_t *)text + strlen(text) >= data + length)
      abort();
  }
}

static void check_command(const uint8_t *data, size_t length) {
  struct body_command command;
  const char *text;
  if (command_decode(data, length, &command, &text) != 0)
    return;
  for (uint64_t i = UINT64_C(2) + command.arguments + command.variables; i > 0; i--)
    text += strlen(text) + 1;
  if ((const uint8_t *)text != data + length)
    abort();
}

/* The first byte says how many descriptors come along; 255: it is a command. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  if (length == 0)
    return 0;
  /* Exactly as long, so that the sanitizer sees what lies behind. */
  uint8_t *copy = malloc(length > 1 ? length - 1 : 1);
  if (!copy)
    abort();
  memcpy(copy, data + 1, length - 1);
  if (data[0] == 255)
    check_command(copy, length - 1);
  else
    check_request(copy, length - 1, data[0]);
  free(copy);
  return 0;
}

#ifndef LIBFUZZER
#include <stdio.h>

#include "../support/c/corpus.h"

/* A request as it may be, or nearly. */
static size_t make(uint8_t *data, uint64_t *state) {
  static const char texts[] = "init\0/var/log/x\0A=1\nB=2\n\0/bin/true\0";
  uint32_t operation = corpus_random(state) % 18, sizes[] = {0, 4, 8, 16, 24, 24};
  size_t length = 1 + sizeof operation;
  data[0] = corpus_random(state) % 8 ? corpus_random(state) % 4 : 255;
  memcpy(data + 1, &operation, sizeof operation);
  length += 4 + sizes[corpus_random(state) % 6];
  for (size_t i = 1 + sizeof operation; i < length; i++)
    data[i] = corpus_random(state) % 4 ? 0 : (uint8_t)(corpus_random(state) % 5);
  size_t more = corpus_random(state) % sizeof texts;
  memcpy(data + length, texts, more);
  return length + more;
}

int main(int argc, char **argv) {
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, state = seed * 2654435761u + 1;
  unsigned long runs = argc > 2 ? strtoul(argv[2], NULL, 0) : 200000;
  uint8_t data[512];
  for (unsigned long run = 0; run < runs; run++) {
    size_t length = make(data, &state);
    for (uint32_t n = corpus_random(&state) % 4; n > 0; n--)
      data[corpus_random(&state) % length] = (uint8_t)corpus_random(&state);
    LLVMFuzzerTestOneInput(data, length);
  }
  printf("%lu requests from seed %llu\n", runs, (unsigned long long)seed);
  return 0;
}
#endif

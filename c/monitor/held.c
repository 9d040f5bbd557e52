/* Descriptors that are held for others: namespaces, which last as long as somebody has them. */
#define _GNU_SOURCE 1
#include "monitor.h"

static int32_t held[BODY_HELD_MAX];
static uint32_t held_count;

void hold(int32_t *fds, uint32_t count) {
  for (uint32_t i = 0; i < held_count; i++)
    close(held[i]);
  held_count = count;
  for (uint32_t i = 0; i < count; i++) {
    held[i] = fds[i];
    fds[i] = -1;
  }
}

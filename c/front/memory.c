/* What the compiler calls without being asked. */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size) {
  char *at = to;
  for (const char *byte = from; size > 0; size--)
    *at++ = *byte++;
  return to;
}

void *memset(void *to, int value, size_t size) {
  for (char *at = to; size > 0; size--)
    *at++ = (char)value;
  return to;
}

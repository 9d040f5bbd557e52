/* The few string functions that the front needs; there is no libc below it. */
#ifndef RUNTS_FRONT_TEXT_H
#define RUNTS_FRONT_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* "/proc/self/fd/" and ten digits */
#define FD_PATH_ROOM 32

static inline size_t length(const char *s) {
  size_t n = 0;
  while (s[n])
    n++;
  return n;
}

static inline int is_same(const char *s, const char *other) {
  while (*s && *s == *other)
    s++, other++;
  return *s == *other;
}

/* What follows the prefix, or NULL. */
static inline const char *after(const char *s, const char *prefix) {
  while (*prefix)
    if (*s++ != *prefix++)
      return NULL;
  return s;
}

/* Returns the end, where more can be put. */
static inline char *put_string(char *to, const char *s) {
  while (*s)
    *to++ = *s++;
  *to = 0;
  return to;
}

static inline char *put_bytes(char *to, const char *from, size_t count) {
  while (count-- > 0)
    *to++ = *from++;
  return to;
}

static inline char *put_decimal(char *to, uint64_t value) {
  char digits[20];
  int n = 0;
  do
    digits[n++] = (char)('0' + value % 10);
  while (value /= 10);
  while (n)
    *to++ = digits[--n];
  *to = 0;
  return to;
}

static inline int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Reads a decimal number and goes on behind it; -1 where there is none, or one that is too long. */
static inline int64_t take_decimal(const char **at) {
  const char *s = *at;
  int64_t value = 0;
  for (; is_digit(*s); s++) {
    if (value > INT64_MAX / 10 - 1)
      return -1;
    value = 10 * value + (*s - '0');
  }
  if (s == *at)
    return -1;
  *at = s;
  return value;
}

static inline char *put_fd_path(char *to, long fd) {
  return put_decimal(put_string(to, "/proc/self/fd/"), (unsigned)fd);
}

#endif

#define _GNU_SOURCE 1
#include "text.h"

#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000

char *put_text(char *to, const char *text) {
  size_t length = strlen(text);
  memcpy(to, text, length);
  return to + length;
}

static void put_digits(char *to, int width, uint64_t value) {
  while (width-- > 0) {
    to[width] = (char)('0' + value % 10);
    value /= 10;
  }
}

char *put_number(char *to, uint64_t number) {
  int width = 1;
  for (uint64_t rest = number; rest >= 10; rest /= 10)
    width++;
  put_digits(to, width, number);
  return to + width;
}

char *put_time(char *to, int64_t time) {
  time_t seconds = (time_t)(time / NS_PER_S);
  struct tm date;
  memcpy(to, "0000-00-00T00:00:00.000000000Z", TIME_TEXT);
  if (!gmtime_r(&seconds, &date))
    return to + TIME_TEXT;
  put_digits(to, 4, (uint32_t)date.tm_year + 1900);
  put_digits(to + 5, 2, (uint32_t)date.tm_mon + 1);
  put_digits(to + 8, 2, (uint32_t)date.tm_mday);
  put_digits(to + 11, 2, (uint32_t)date.tm_hour);
  put_digits(to + 14, 2, (uint32_t)date.tm_min);
  put_digits(to + 17, 2, (uint32_t)date.tm_sec);
  put_digits(to + 20, 9, (uint64_t)(time % NS_PER_S));
  return to + TIME_TEXT;
}

const char *take_number(const char *text, uint32_t most, uint32_t *number) {
  uint64_t value = 0;
  const char *at = text;
  for (; *at >= '0' && *at <= '9'; at++) {
    value = value * 10 + (uint64_t)(*at - '0');
    if (value > most)
      return NULL;
  }
  *number = (uint32_t)value;
  return at == text ? NULL : at;
}

#define _GNU_SOURCE 1
#include "time_text.h"

#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000

static void put_number(char *to, int width, uint32_t value) {
  while (width-- > 0) {
    to[width] = (char)('0' + value % 10);
    value /= 10;
  }
}

void time_text(int64_t time, char *to) {
  time_t seconds = (time_t)(time / NS_PER_S);
  struct tm date;
  memcpy(to, "0000-00-00T00:00:00.000000000Z", TIME_TEXT);
  if (!gmtime_r(&seconds, &date))
    return;
  put_number(to, 4, (uint32_t)date.tm_year + 1900);
  put_number(to + 5, 2, (uint32_t)date.tm_mon + 1);
  put_number(to + 8, 2, (uint32_t)date.tm_mday);
  put_number(to + 11, 2, (uint32_t)date.tm_hour);
  put_number(to + 14, 2, (uint32_t)date.tm_min);
  put_number(to + 17, 2, (uint32_t)date.tm_sec);
  put_number(to + 20, 9, (uint32_t)(time % NS_PER_S));
}

/* Texts without printf(3), which would be a third of the monitor. Each gives what is behind it; no NUL. */
#ifndef MONITOR_TEXT_H
#define MONITOR_TEXT_H

#include <stdint.h>

/* Characters of a time. */
#define TIME_TEXT 30
/* Most characters of a number. */
#define NUMBER_TEXT 20

char *put_text(char *to, const char *text);
char *put_number(char *to, uint64_t number);
/* A time as logs and records have it: 2026-11-30T10:00:00.123456789Z. `time`: ns since 1970, UTC. */
char *put_time(char *to, int64_t time);

/* Reads a number that is there; NULL when there is none, or one above `most`. */
const char *take_number(const char *text, uint32_t most, uint32_t *number);

#endif

/* Times as logs and records have them: 2026-11-30T10:00:00.123456789Z. */
#ifndef MONITOR_TIME_TEXT_H
#define MONITOR_TIME_TEXT_H

#include <stdint.h>

#define TIME_TEXT 30

/* Writes TIME_TEXT characters, without a NUL. `time`: ns since 1970, UTC. */
void time_text(int64_t time, char *to);

#endif

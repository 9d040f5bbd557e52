/* Our ends of pipes and terminals. No function waits: -EAGAIN says that one would have to. */
#ifndef RUNTS_STREAM_H
#define RUNTS_STREAM_H

#include <stdint.h>

#include "helper.h"

/* From now on nothing waits on it; a pipe is made to hold `size` bytes if that is allowed. */
int32_t rts_stream_open(int32_t fd, uint32_t size);
/* The number of bytes; 0 at the end, which for a terminal's master is the end of the other side. */
int32_t rts_stream_read(int32_t fd, uint8_t *bytes, uint32_t size);
/* The number of bytes that there was room for. */
int32_t rts_stream_write(int32_t fd, const uint8_t *bytes, uint32_t length);

#endif

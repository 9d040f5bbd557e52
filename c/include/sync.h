/* Records of the conversation between runts and init; lib/wire/messages.ts has the diagram. */
#ifndef RUNTS_SYNC_H
#define RUNTS_SYNC_H

#include <stdint.h>

enum sync_message {
  SYNC_PID = 1,
  SYNC_CGROUP = 2,
  SYNC_MAPS = 3,
  SYNC_NAMESPACES = 4,
  SYNC_NOTIFY = 5,
  SYNC_READY = 6,
  SYNC_EXECUTING = 7,
  SYNC_WARNING = 16,
  SYNC_TRACE = 17,
  SYNC_FAILED = 18,
  SYNC_GO = 32,
  SYNC_SLOTS = 33,
  SYNC_PLAN = 34,
};

/*
 * An init that was started without a plan is given it so: SYNC_SLOTS, behind whose header the slots are (uint32_t)
 * that its descriptors are for, any number of times, then SYNC_PLAN with that of the plan. Its value is the number of
 * descriptors that come later: in more SYNC_SLOTS, before the next SYNC_GO.
 */
#define SYNC_FDS_MAX 253

/*
 * Header of a record; its detail (UTF-8, not terminated) follows in the same packet. That of SYNC_TRACE is the time of
 * day at which the operation began, in ns since 1970 (uint64_t).
 */
struct sync_header {
  int32_t type;
  int32_t op;    /* index of the operation, or -1 */
  int32_t error; /* errno value, or 0 */
  int32_t reserved;
  uint64_t value;
};

#define SYNC_RECORD_MAX (64u * 1024)

#endif

/* The record of a container (c/include/prepared.h), and whether it still holds. */
#ifndef RUNTS_FRONT_RECORD_H
#define RUNTS_FRONT_RECORD_H

#include <stddef.h>

#include "../include/prepared.h"

/* Whether all that the record points to is in it. */
int is_sound(const struct prepared *record, size_t length);

#define BOOT_ROOM 64

/* What the reading of records shares. */
struct reading {
  const char *front;
  char boot[BOOT_ROOM]; /* empty until it is known */
  char *room;           /* for one record at a time; NULL until there is one */
};

/* Reads the record below the state directory; NULL where there is none that holds. */
const struct prepared *read_record(struct reading *reading, long directory);

static inline const char *text_of(const struct prepared *record, struct prepared_text text) {
  return (const char *)record + text.offset;
}

static inline const struct prepared_cgroup *cgroups_of(const struct prepared *record) {
  return (const struct prepared_cgroup *)((const char *)record + record->cgroups);
}

#endif

/* The record of a container (c/include/prepared.h), and whether it still holds. */
#ifndef RUNTS_FRONT_RECORD_H
#define RUNTS_FRONT_RECORD_H

#include <stddef.h>

#include "../include/prepared.h"

/* Whether all that the record points to is in it. */
int is_sound(const struct prepared *record, size_t length);

/* Reads the record below the state directory; NULL where there is none that holds. */
const struct prepared *read_record(long directory, const char *front);

static inline const char *text_of(const struct prepared *record, struct prepared_text text) {
  return (const char *)record + text.offset;
}

static inline const struct prepared_cgroup *cgroups_of(const struct prepared *record) {
  return (const struct prepared_cgroup *)((const char *)record + record->cgroups);
}

#endif

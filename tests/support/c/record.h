/* A record of prepared verbs that holds. */
#ifndef TEST_RECORD_H
#define TEST_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../../c/front/record.h"

struct record_bytes {
  struct prepared head;
  char texts[1024];
};

static inline struct prepared_text record_text(struct record_bytes *bytes, const char *text) {
  struct prepared_text at = {bytes->head.size, (uint32_t)strlen(text)};
  memcpy((char *)bytes + at.offset, text, at.length + 1);
  bytes->head.size += at.length + 1;
  return at;
}

static inline struct record_bytes sample_record(void) {
  struct record_bytes bytes = {.head = {.magic = PREPARED_MAGIC, .pid = 4711, .start_time = 99}};
  struct prepared *head = &bytes.head;
  struct prepared_cgroup cgroups[2] = {{.inode = 7}, {.inode = 8}};
  head->cgroups = sizeof *head;
  head->cgroup_count = 2;
  head->size = sizeof *head + sizeof cgroups;
  cgroups[0].path = record_text(&bytes, "/sys/fs/cgroup/freezer/web");
  cgroups[1].path = record_text(&bytes, "/sys/fs/cgroup/unified/web");
  memcpy(bytes.texts, cgroups, sizeof cgroups);
  head->status = record_text(&bytes, "{\"pid\": 4711}\n");
  head->before_pid = record_text(&bytes, "{\n  \"pid\": ");
  head->before_state = record_text(&bytes, ",\n  \"status\": \"");
  head->after_state = record_text(&bytes, "\"\n}\n");
  head->freezer_state = record_text(&bytes, "/sys/fs/cgroup/freezer/web/freezer.state");
  head->cgroup_freeze = record_text(&bytes, "");
  head->cgroup_events = record_text(&bytes, "");
  head->cgroup_name = record_text(&bytes, "/web");
  return bytes;
}

#endif

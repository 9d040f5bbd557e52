#define _GNU_SOURCE
#include "record.h"

#include <fcntl.h>

#include "files.h"
#include "syscall.h"
#include "text.h"

#define PRIVATE 0600
#define ALL_BITS 07777
#define BOOT_ID_LENGTH 36

static int is_equal(const char *one, const char *other, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (one[i] != other[i])
      return 0;
  return 1;
}

/* Whether the text is within the record and ended where it says. */
static int is_within(const struct prepared *record, struct prepared_text text) {
  const char *start = (const char *)record + text.offset;
  if (text.offset < sizeof *record || text.offset >= record->size ||
      text.length >= record->size - text.offset || start[text.length])
    return 0;
  return length(start) == text.length;
}

/* The same of one that is a path from the root, or empty where that may be. */
static int is_path(const struct prepared *record, struct prepared_text text, int may_be_empty) {
  return is_within(record, text) &&
         (text.length == 0 ? may_be_empty : *text_of(record, text) == '/');
}

static int are_cgroups_sound(const struct prepared *record) {
  uint32_t at = record->cgroups, count = record->cgroup_count;
  if (count > PREPARED_CGROUPS_MAX || at < sizeof *record || at > record->size ||
      at % sizeof(uint64_t) || (record->size - at) / sizeof(struct prepared_cgroup) < count)
    return 0;
  for (uint32_t i = 0; i < count; i++)
    if (!is_path(record, cgroups_of(record)[i].path, 0))
      return 0;
  return 1;
}

int is_sound(const struct prepared *record, size_t length) {
  return length >= sizeof *record && record->magic == PREPARED_MAGIC && record->size == length &&
         record->pid > 0 && is_within(record, record->status) &&
         is_within(record, record->before_pid) && is_within(record, record->before_state) &&
         is_within(record, record->after_state) && is_within(record, record->cgroup_name) &&
         is_path(record, record->freezer_state, 1) && is_path(record, record->cgroup_freeze, 1) &&
         is_path(record, record->cgroup_events, 1) && are_cgroups_sound(record);
}

static int is_this_boot(const struct prepared *record, char boot[BOOT_ROOM]) {
  if (!*boot &&
      read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, BOOT_ROOM) < BOOT_ID_LENGTH)
    return 0;
  return is_equal(boot, record->boot, BOOT_ID_LENGTH);
}

/* Whoever writes another status file, crun above all, has changed more than the front knows. */
static int is_status(long directory, const struct prepared *record, char *room, size_t size) {
  long fd = open_regular(directory, "status"), n;
  if (fd < 0)
    return 0;
  n = read_fully(fd, room, size);
  sys1(SYS_CLOSE, fd);
  return n == record->status.length && is_equal(room, text_of(record, record->status), (size_t)n);
}

static int is_config(long directory, const struct prepared *record) {
  struct statx st;
  if (look_at(directory, "config.json", &st) < 0 || type_of(&st) != S_IFREG)
    return 0;
  int64_t ms = st.stx_mtime.tv_sec * 1000 + st.stx_mtime.tv_nsec / 1000000;
  return st.stx_ino == record->config_inode && st.stx_size == record->config_size &&
         ms == record->config_mtime;
}

/* Only what its owner alone can have written counts. */
static long open_record(long directory, size_t *size) {
  struct statx st;
  long fd = open_regular(directory, PREPARED_FILE);
  if (fd < 0)
    return fd;
  if (look_at(fd, "", &st) == 0 && (st.stx_mode & ALL_BITS) == PRIVATE && st.stx_nlink == 1 &&
      st.stx_uid == (unsigned)sys1(SYS_GETUID, 0) && st.stx_size <= PREPARED_MAX) {
    *size = st.stx_size;
    return fd;
  }
  sys1(SYS_CLOSE, fd);
  return -1;
}

const struct prepared *read_record(struct reading *reading, long directory) {
  size_t size;
  long fd = open_record(directory, &size), n;
  if (fd < 0)
    return NULL;
  if (!reading->room)
    reading->room = new_pages(2 * PREPARED_MAX);
  const struct prepared *record = (const struct prepared *)reading->room;
  n = read_fully(fd, reading->room, size);
  sys1(SYS_CLOSE, fd);
  if (n != (long)size || !is_sound(record, size) ||
      !is_equal(record->front, reading->front, sizeof record->front) ||
      !is_this_boot(record, reading->boot) ||
      !is_status(directory, record, reading->room + PREPARED_MAX, PREPARED_MAX) ||
      !is_config(directory, record))
    return NULL;
  return record;
}

/* Logs of a monitor in a folder, and what is in them. */
#ifndef TEST_LOG_H
#define TEST_LOG_H

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "../../../c/monitor/monitor.h"
#include "folder.h"
#include "test.h"

/* 2026-11-30T10:00:00.123456789Z */
#define TEST_TIME INT64_C(1796032800123456789)
#define TEST_TIME_TEXT "2026-11-30T10:00:00.123456789Z"

static inline struct log *open_log(uint32_t driver, const char *path, uint64_t max_size,
                                   uint32_t max_files) {
  struct body_watch watch = {.driver = driver, .max_size = max_size, .max_files = max_files};
  struct log *log = NULL;
  NEED(log_open(&watch, path, "CONTAINER_ID=c1\n", &log) == 0 && log);
  return log;
}

/* What is read of a stream, as much at a time as there is room for. */
static inline void feed(struct log *log, struct line *line, int stream, const void *bytes,
                        size_t length) {
  const uint8_t *from = bytes;
  while (length > 0) {
    size_t room = READ_SIZE - line->length, part = length < room ? length : room;
    uint8_t *to = scratch + line->length;
    memcpy(to, from, part);
    log_put(log, line, stream, to, part, TEST_TIME);
    from += part;
    length -= part;
  }
}

static inline void feed_text(struct log *log, struct line *line, int stream, const char *text) {
  feed(log, line, stream, text, strlen(text));
}

/* What a file holds, with a NUL behind it; it is kept until the next call. */
static inline const char *contents(const char *path, size_t *length) {
  static char *bytes;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
  free(bytes);
  bytes = calloc(1, (size_t)size + 1);
  NEED(bytes && (fd < 0 || pread(fd, bytes, (size_t)size, 0) == size));
  if (fd >= 0)
    close(fd);
  if (length)
    *length = (size_t)size;
  return bytes;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

static inline void remove_folder(void) {
  NEED(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

#endif

/*
 * The files of logs. Records are collected in a batch, which one write(2) takes. Whatever happens
 * to a file, records stay whole: what did not fit is cut off again and counted as lost.
 */
#define _GNU_SOURCE 1
#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "monitor.h"

#define BATCH_SIZE 32768
#define RECORDS_MAX 512
#define NEW_FILE_MODE 0640

struct log {
  struct log *next;
  uint32_t users;
  uint32_t max_files;
  uint64_t max_size;
  uint64_t size;   /* of the file */
  uint64_t lost;   /* bytes of output, of which the log does not tell yet */
  uint32_t within; /* streams in the middle of a line */
  int fd;
  struct log_form form;
  char path[];
};

static struct log *logs;

/* What is to be written next, of one log at a time. */
static struct {
  uint8_t bytes[BATCH_SIZE];
  size_t length;
  struct {
    uint32_t end;  /* where the next one begins */
    uint32_t text; /* bytes of output in it */
  } record[RECORDS_MAX];
  uint32_t count;
} batch;

static void lose(struct log *log, uint64_t text) {
  log->lost += text;
  the_monitor.lost += text;
}

int log_reopen(struct log *log) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if (log->fd >= 0)
    close(log->fd);
  log->fd = (int)RETRY(open(log->path, flags, NEW_FILE_MODE));
  return log->fd < 0 ? log->fd : 0;
}

static struct log *log_find(uint32_t driver, const char *path) {
  for (struct log *log = logs; log; log = log->next)
    if (log->form.driver == driver && strcmp(log->path, path) == 0)
      return log;
  return NULL;
}

int log_open(const struct body_watch *w, const char *path, const char *fields, struct log **to) {
  *to = NULL;
  if (w->driver > BODY_LOG_JOURNALD || w->max_files == 0 || w->reserved != 0)
    return -EINVAL;
  if (w->driver == BODY_LOG_NONE)
    return 0;
  if (*path != '/')
    return -EINVAL;
  struct log *log = log_find(w->driver, path);
  if (log) {
    log->users++;
    *to = log;
    return 0;
  }
  size_t length = strlen(path) + 1;
  log = calloc(1, sizeof *log + length + strlen(fields) + 1);
  if (!log)
    return -ENOMEM;
  memcpy(log->path, path, length);
  log->form = (struct log_form){w->driver, strcpy(log->path + length, fields)};
  log->max_size = w->max_size;
  log->max_files = w->max_files;
  log->users = 1;
  log->fd = -1;
  int error = log_reopen(log);
  if (error != 0) {
    free(log);
    return error;
  }
  log->next = logs;
  *to = logs = log;
  return 0;
}

void log_release(struct log *log) {
  if (!log || --log->users > 0)
    return;
  struct log **at = &logs;
  while (*at != log)
    at = &(*at)->next;
  *at = log->next;
  if (log->fd >= 0)
    close(log->fd);
  free(log);
}

const struct log_form *log_form(const struct log *log) {
  return &log->form;
}

/* Whether there is a file to write to; one that was deleted is made anew. */
static bool log_ready(struct log *log) {
  struct stat file;
  if (log->fd < 0 || fstat(log->fd, &file) != 0 || file.st_nlink == 0)
    if (log_reopen(log) != 0 || fstat(log->fd, &file) != 0)
      return false;
  log->size = (uint64_t)file.st_size; /* others may cut it */
  return true;
}

/* The number of bytes that stay: whole records. */
static size_t keep_whole(struct log *log, size_t written) {
  size_t end = 0;
  for (uint32_t i = 0; i < batch.count && batch.record[i].end <= written; i++)
    end = batch.record[i].end;
  if (end != written)
    (void)!ftruncate(log->fd, (off_t)(log->size + end));
  return end;
}

static void tell_loss(struct log *log) {
  uint8_t text[256];
  size_t length = format_loss(&log->form, log->lost, 0, text);
  long written = RETRY(write(log->fd, text, length));
  if (written == (long)length) {
    log->lost = 0;
    log->size += length;
  } else if (written > 0) {
    (void)!ftruncate(log->fd, (off_t)log->size);
  }
}

/* Of the batch, what was written and what was not. */
static void account(struct log *log, size_t written) {
  for (uint32_t i = 0; i < batch.count; i++) {
    if (batch.record[i].end <= written)
      the_monitor.written += batch.record[i].text;
    else
      lose(log, batch.record[i].text);
  }
  batch.length = batch.count = 0;
}

void log_flush(struct log *log) {
  size_t stays = 0;
  if (batch.count == 0)
    return;
  if (log_ready(log)) {
    if (log->lost > 0)
      tell_loss(log);
    long written = log->lost > 0 ? -1 : RETRY(write(log->fd, batch.bytes, batch.length));
    if (written > 0)
      stays = (size_t)written == batch.length ? batch.length : keep_whole(log, (size_t)written);
    log->size += stays;
  }
  account(log, stays);
}

/* path.N becomes path.N+1, path becomes path.1. */
static void rotate(struct log *log) {
  char from[BODY_PATH_MAX + 16], to[BODY_PATH_MAX + 16];
  if (log->max_files == 1)
    unlink(log->path);
  for (uint32_t n = log->max_files - 1; n > 0; n--) {
    snprintf(to, sizeof to, "%s.%u", log->path, n);
    snprintf(from, sizeof from, n > 1 ? "%s.%u" : "%s", log->path, n - 1);
    rename(from, to);
  }
  log_reopen(log);
  log->size = 0;
}

uint8_t *log_room(struct log *log, size_t most) {
  if (batch.length + most > BATCH_SIZE || batch.count == RECORDS_MAX)
    log_flush(log);
  return batch.bytes + batch.length;
}

static bool is_full(const struct log *log, size_t length) {
  uint64_t size = log->size + batch.length;
  return log->max_size > 0 && size > 0 && size + length > log->max_size;
}

void log_add(struct log *log, size_t length, size_t text, bool begins, bool ends) {
  bool between = log->within == 0;
  if (is_full(log, length) && (between || log->size + batch.length >= 2 * log->max_size)) {
    size_t start = batch.length;
    log_flush(log);
    rotate(log);
    memmove(batch.bytes, batch.bytes + start, length);
  }
  log->within += (begins && !ends) - (ends && !begins);
  batch.length += length;
  batch.record[batch.count].end = (uint32_t)batch.length;
  batch.record[batch.count++].text = (uint32_t)text;
}

static bool line_keep(struct line *line, const uint8_t *bytes, size_t length) {
  if (!line->kept)
    line->kept = map_memory(PART_MAX);
  if (!line->kept)
    return false;
  memcpy(line->kept, bytes, length);
  line->length = length;
  return true;
}

void log_put(struct log *log, struct line *line, int stream, uint8_t *bytes, size_t length,
             int64_t time) {
  bytes -= line->length;
  length += line->length;
  if (line->length > 0)
    memcpy(bytes, line->kept, line->length);
  line->length = 0;
  size_t done = format_lines(log, line, stream, bytes, length, time);
  if (done < length && !line_keep(line, bytes + done, length - done))
    format_part(log, line, stream, bytes + done, length - done, time);
  log_flush(log);
}

void log_end(struct log *log, struct line *line, int stream, int64_t time) {
  if (line->length > 0)
    format_part(log, line, stream, line->kept, line->length, time);
  log_flush(log);
  log->within -= line->within;
  line->within = false;
  line->length = 0;
  line_rest(line);
}

void log_rest(void) {
  rest_memory(batch.bytes, sizeof batch.bytes);
}

void line_rest(struct line *line) {
  if (line->length == 0)
    unmap_memory(line->kept, PART_MAX);
  if (line->length == 0)
    line->kept = NULL;
}

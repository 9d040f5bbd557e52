/* Logs of programs: which there are, and their records until they are written. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "sink.h"

#define NEW_FILE_MODE 0640
#define NS_PER_S 1000000000
#define KEPT_SHORT 4096

static struct log *logs;
_Alignas(4096) struct batch batch;

int64_t time_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

void lose(struct log *log, uint64_t text) {
  log->lost += text;
  the_monitor.lost += text;
}

/* A fifo is opened for both, so that it has a reader, and its writer no end, whoever comes and goes. */
static int open_path(const char *path) {
  const int flags = O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  struct stat file;
  bool is_fifo = stat(path, &file) == 0 && S_ISFIFO(file.st_mode);
  return (int)RETRY(open(path, flags | (is_fifo ? O_RDWR : O_WRONLY), NEW_FILE_MODE));
}

int log_reopen(struct log *log) {
  struct stat file;
  if (log->fd >= 0)
    close(log->fd);
  bool is_journal = log->form.driver == BODY_LOG_JOURNALD;
  log->fd = is_journal ? journal_connect(log->path) : open_path(log->path);
  if (log->fd < 0)
    return log->fd;
  log->is_file = fstat(log->fd, &file) == 0 && S_ISREG(file.st_mode);
  log->size = log->is_file ? (uint64_t)file.st_size : 0;
  return 0;
}

static struct log *log_find(uint32_t driver, const char *path) {
  for (struct log *log = logs; log; log = log->next)
    if (log->form.driver == driver && strcmp(log->path, path) == 0)
      return log;
  return NULL;
}

static int log_make(const struct body_watch *w, const char *path, const char *fields,
                    struct log **made) {
  size_t length = strlen(path) + 1;
  struct log *log = calloc(1, sizeof *log + length + strlen(fields) + 1);
  if (!log)
    return -ENOMEM;
  memcpy(log->path, path, length);
  log->form.driver = w->driver;
  log->form.fields = strcpy(log->path + length, fields);
  log->limit = log->max_size = w->max_size;
  log->max_files = w->max_files;
  log->fd = log->queue.source.fd = -1;
  int error = log_reopen(log);
  if (error != 0) {
    free(log);
    return error;
  }
  log->next = logs;
  *made = logs = log;
  return 0;
}

int log_open(const struct body_watch *w, const char *path, const char *fields, struct log **to) {
  *to = NULL;
  if (w->driver > BODY_LOG_JOURNALD || w->max_files == 0 || w->reserved != 0)
    return -EINVAL;
  if (w->driver == BODY_LOG_NONE)
    return 0;
  if (*path != '/')
    return -EINVAL;
  *to = log_find(w->driver, path);
  int error = *to ? 0 : log_make(w, path, fields, to);
  if (error == 0)
    (*to)->users++;
  return error;
}

void log_settle(struct log *log) {
  if (log->users > 0 || log->queue.start < log->queue.end)
    return;
  struct log **at = &logs;
  while (*at != log)
    at = &(*at)->next;
  *at = log->next;
  queue_free(log);
  if (log->fd >= 0)
    close(log->fd);
  free(log);
}

void log_release(struct log *log) {
  if (!log)
    return;
  log->users--;
  if (log->users == 0 && log->lost > 0)
    log->is_file ? file_end(log) : queue_end(log);
  log_settle(log);
}

const struct log_form *log_form(const struct log *log) {
  return &log->form;
}

void record_written(struct log *log, const struct batch_record *record) {
  log->form.open = log->form.driver == BODY_LOG_RAW && !record->ends;
}

void record_lost(struct log *log, const struct batch_record *record) {
  lose(log, record->text);
  record->line->cut = !record->ends;
  if (!record->begins)
    record->line->torn = true;
}

/* Of the batch, what was written and what was not. */
static void account(struct log *log, size_t written) {
  for (uint32_t i = 0; i < batch.count; i++) {
    const struct batch_record *record = &batch.record[i];
    if (record->end > written) {
      record_lost(log, record);
      continue;
    }
    the_monitor.written += record->text;
    record_written(log, record);
  }
}

void log_flush(struct log *log) {
  if (batch.count > 0 && log->is_file)
    account(log, file_write(log));
  else if (batch.count > 0)
    queue_write(log);
  batch.length = batch.count = 0;
}

uint8_t *log_room(struct log *log, size_t most) {
  if (batch.length + most > BATCH_FULL || batch.count == BATCH_RECORDS)
    log_flush(log);
  return batch.bytes + batch.length;
}

/* Whether a record of that length is to go into another file. */
static bool is_full(const struct log *log, size_t length) {
  uint64_t size = log->size + batch.length;
  bool between = log->within == 0 || size >= 2 * log->limit;
  return log->limit > 0 && log->is_file && between && size > 0 && size + length > log->limit;
}

void log_add(struct log *log, const struct record *record) {
  if (is_full(log, record->length)) {
    size_t start = batch.length;
    log_flush(log);
    if (file_look(log) && is_full(log, record->length))
      file_rotate(log);
    memmove(batch.bytes, batch.bytes + start, record->length);
  }
  log->within += (record->begins && !record->ends) - (record->ends && !record->begins);
  batch.length += record->length;
  batch.record[batch.count++] = (struct batch_record){
      .end = (uint32_t)batch.length,
      .text = (uint32_t)record->text,
      .line = record->line,
      .begins = record->begins,
      .ends = record->ends,
  };
}

void log_skip(struct log *log, struct line *line, size_t text, bool ends) {
  lose(log, text);
  log->within -= ends && line->within;
  line->cut = !ends;
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

/* Puts what was kept there. Long lines are rare: the next one does not find their memory. */
static void line_take(struct line *line, uint8_t *bytes) {
  if (line->length > 0)
    memcpy(bytes, line->kept, line->length);
  if (line->length > KEPT_SHORT)
    rest_memory(line->kept + KEPT_SHORT, PART_MAX - KEPT_SHORT);
  line->length = 0;
}

void log_put(struct log *log, struct line *line, int stream, uint8_t *bytes, size_t length,
             int64_t time) {
  bytes -= line->length;
  length += line->length;
  line_take(line, bytes);
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
  line->within = line->cut = line->torn = false;
  line->length = 0;
  line_rest(line);
}

void log_rest(void) {
  rest_memory(&batch, sizeof batch);
}

void line_rest(struct line *line) {
  if (line->length > 0)
    return;
  unmap_memory(line->kept, PART_MAX);
  line->kept = NULL;
}

bool logs_wait(void) {
  for (const struct log *log = logs; log; log = log->next)
    if (log->queue.start < log->queue.end)
      return true;
  return false;
}

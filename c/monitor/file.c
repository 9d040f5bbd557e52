/*
 * Files of logs. Whatever happens to one, records stay whole: what did not fit is cut off again and
 * counted as lost. A write(2) to a file waits for its disk: one that hangs holds us up
 * (docs/supervision.md).
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sink.h"
#include "text.h"

bool file_look(struct log *log) {
  struct stat file;
  if (log->fd < 0 || fstat(log->fd, &file) != 0 || file.st_nlink == 0)
    return log_reopen(log) == 0 && log->is_file;
  log->size = (uint64_t)file.st_size; /* somebody may have cut it */
  log->form.open = log->form.open && log->size > 0;
  return true;
}

static void cut(struct log *log) {
  (void)!ftruncate(log->fd, (off_t)log->size);
}

/* As much of the batch as are whole records. */
static size_t keep_whole(struct log *log, size_t written) {
  size_t end = 0;
  for (uint32_t i = 0; i < batch.count && batch.record[i].end <= written; i++)
    end = batch.record[i].end;
  log->size += end;
  if (end != written)
    cut(log);
  return end;
}

/* True when the log says how much is missing, or nothing is. */
static bool tell_loss(struct log *log) {
  uint8_t text[LOSS_MAX];
  if (log->lost == 0)
    return true;
  size_t length = format_loss(&log->form, log->lost, time_now(), text);
  long written = RETRY(write(log->fd, text, length));
  if (written > 0 && written < (long)length)
    cut(log);
  if (written != (long)length)
    return false;
  log->lost = 0;
  log->form.open = false;
  log->size += length;
  return true;
}

void file_end(struct log *log) {
  if (file_look(log))
    tell_loss(log);
}

size_t file_write(struct log *log) {
  if (!file_look(log) || !tell_loss(log))
    return 0;
  long written = RETRY(write(log->fd, batch.bytes, batch.length));
  return written > 0 ? keep_whole(log, (size_t)written) : 0;
}

/* What the path has after its last slash. */
static char *last_name(struct log *log) {
  return strrchr(log->path, '/') + 1;
}

static int open_folder(struct log *log) {
  char *name = last_name(log), first = *name;
  *name = '\0';
  int fd = (int)RETRY(open(log->path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  *name = first;
  return fd;
}

#define FILE_NAME (NAME_MAX + 1 + NUMBER_TEXT + 1)

/* NAME.N; NAME for 0. */
static void name_file(struct log *log, uint32_t n, char *name) {
  char *end = put_text(name, last_name(log));
  if (n > 0)
    end = put_number(put_text(end, "."), n);
  *end = '\0';
}

/* Where files cannot be renamed, the log grows, and is as long again before the next try. */
void file_rotate(struct log *log) {
  char from[FILE_NAME], to[FILE_NAME];
  CLEANUP_FD int folder = open_folder(log);
  if (log->max_files == 1)
    unlink(log->path);
  for (uint32_t n = log->max_files - 1; n > 0; n--) {
    name_file(log, n - 1, from);
    name_file(log, n, to);
    renameat(folder, from, folder, to);
  }
  log_reopen(log);
  log->limit = log->size > 0 ? log->size + log->max_size : log->max_size;
}

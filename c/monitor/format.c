/* The forms of logs. */
#define _GNU_SOURCE 1
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "time_text.h"

#define CRI_HEAD (TIME_TEXT + sizeof " stdout F " - 1)
#define CRI_TAG (CRI_HEAD - 2)

/* All lines of one read have the same time: this is what they begin with. */
static char head[CRI_HEAD];

static void cri_head(int stream, int64_t time) {
  time_text(time, head);
  memcpy(head + TIME_TEXT, stream == BODY_STREAM_STDERR ? " stderr F " : " stdout F ",
         CRI_HEAD - TIME_TEXT);
}

/* `length`: without the newline, which the record has in any case. */
static void cri_put(struct log *log, const uint8_t *bytes, size_t length, bool ends, bool within) {
  uint8_t *to = log_room(log, CRI_HEAD + length + 1);
  memcpy(to, head, CRI_HEAD);
  if (!ends)
    to[CRI_TAG] = 'P';
  memcpy(to + CRI_HEAD, bytes, length);
  to[CRI_HEAD + length] = '\n';
  log_add(log, CRI_HEAD + length + 1, length + ends, !within, ends);
}

static void put(struct log *log, struct line *line, const uint8_t *bytes, size_t length,
                bool ends) {
  cri_put(log, bytes, length, ends, line->within);
  line->within = !ends;
}

size_t format_lines(struct log *log, struct line *line, int stream, const uint8_t *bytes,
                    size_t length, int64_t time) {
  size_t at = 0;
  cri_head(stream, time);
  while (at < length) {
    size_t left = length - at, part = left < PART_MAX + 1 ? left : PART_MAX + 1;
    const uint8_t *end = memchr(bytes + at, '\n', part);
    if (!end && left <= PART_MAX)
      return at;
    size_t size = end ? (size_t)(end - (bytes + at)) : PART_MAX;
    put(log, line, bytes + at, size, end != NULL);
    at += size + (end != NULL);
  }
  return at;
}

void format_part(struct log *log, struct line *line, int stream, const uint8_t *bytes,
                 size_t length, int64_t time) {
  cri_head(stream, time);
  put(log, line, bytes, length, false);
}

size_t format_loss(const struct log_form *form, uint64_t lost, int64_t time, uint8_t *to) {
  (void)form;
  cri_head(BODY_STREAM_STDERR, time);
  memcpy(to, head, CRI_HEAD);
  return CRI_HEAD + (size_t)sprintf((char *)to + CRI_HEAD, "%" PRIu64 " bytes lost\n", lost);
}

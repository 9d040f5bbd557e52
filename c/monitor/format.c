/* The forms of logs. */
#define _GNU_SOURCE 1
#include <string.h>

#include "log.h"
#include "text.h"

#define COPY(to, text) (memcpy(to, text, sizeof text - 1), (to) + sizeof text - 1)

/* A part of a line, as it was read, without its newline. */
struct part {
  int stream;
  const uint8_t *bytes;
  size_t length;
  bool ends; /* its line ends here */
};

/* All records of one read have the same time: once it is text, it stays for a while. */
static char now[TIME_TEXT];

static const char *stream_name(int stream) {
  return stream == BODY_STREAM_STDERR ? "stderr" : "stdout";
}

#define STREAM_NAME 6

static uint8_t *put(uint8_t *to, const void *bytes, size_t length) {
  memcpy(to, bytes, length);
  return to + length;
}

/* `TIME stdout F text` */
static uint8_t *put_cri(uint8_t *to, const struct part *p) {
  to = put(to, now, TIME_TEXT);
  *to++ = ' ';
  to = put(to, stream_name(p->stream), STREAM_NAME);
  *to++ = ' ';
  *to++ = p->ends ? 'F' : 'P';
  *to++ = ' ';
  to = put(to, p->bytes, p->length);
  *to++ = '\n';
  return to;
}

/* How many bytes the character has that begins here; 0 for what is no UTF-8. */
static size_t character(const uint8_t *bytes, size_t length) {
  uint8_t first = bytes[0];
  size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 0 || size > length || first > 0xf4)
    return 0;
  for (size_t i = 1; i < size; i++)
    if ((bytes[i] & 0xc0) != 0x80)
      return 0;
  if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
      (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f))
    return 0; /* longer than it must be, a surrogate, or beyond the last */
  return size;
}

static uint8_t *put_escaped(uint8_t *to, uint8_t byte) {
  static const char digits[] = "0123456789abcdef";
  to = COPY(to, "\\u00");
  *to++ = (uint8_t)digits[byte >> 4];
  *to++ = (uint8_t)digits[byte & 15];
  return to;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))
#define HIGH_BITS EACH_BYTE(0x80)

/* Whether one of eight bytes is no plain character: a high bit for each of them, and perhaps for more. */
static uint64_t odd_ones(uint64_t word) {
  uint64_t quote = word ^ EACH_BYTE('"'), backslash = word ^ EACH_BYTE('\\');
  return (word | (word - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1))) &
         HIGH_BITS;
}

/* A character, or a byte that is none, which becomes U+FFFD; gives how many bytes that was. */
static size_t put_json_character(uint8_t **to, const uint8_t *bytes, size_t length) {
  size_t size = character(bytes, length);
  uint8_t byte = bytes[0];
  if (size == 0) {
    *to = COPY(*to, "\xef\xbf\xbd");
    return 1;
  }
  if (byte < 0x20) {
    *to = put_escaped(*to, byte);
    return 1;
  }
  if (byte == '"' || byte == '\\')
    *(*to)++ = '\\';
  *to = put(*to, bytes, size);
  return size;
}

/* A text within quotes. Most of it is plain, and taken by words. */
static uint8_t *put_json_text(uint8_t *to, const uint8_t *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    uint64_t word;
    while (length - at >= sizeof word) {
      memcpy(&word, bytes + at, sizeof word);
      if (odd_ones(word))
        break;
      memcpy(to, &word, sizeof word);
      to += sizeof word;
      at += sizeof word;
    }
    if (at < length)
      at += put_json_character(&to, bytes + at, length - at);
  }
  return to;
}

/* {"log":"text\n","stream":"stdout","time":"TIME"} */
static uint8_t *put_json(uint8_t *to, const struct part *p) {
  to = COPY(to, "{\"log\":\"");
  to = put_json_text(to, p->bytes, p->length);
  if (p->ends)
    to = COPY(to, "\\n");
  to = COPY(to, "\",\"stream\":\"");
  to = put(to, stream_name(p->stream), STREAM_NAME);
  to = COPY(to, "\",\"time\":\"");
  to = put(to, now, TIME_TEXT);
  return COPY(to, "\"}\n");
}

static uint8_t *put_raw(uint8_t *to, const struct part *p) {
  to = put(to, p->bytes, p->length);
  if (p->ends)
    *to++ = '\n';
  return to;
}

/* Fields of an entry, each a line: systemd's JOURNAL_NATIVE_PROTOCOL. */
static uint8_t *put_journal(uint8_t *to, const struct part *p, const char *fields) {
  to = COPY(to, "MESSAGE=");
  to = put(to, p->bytes, p->length);
  to = p->stream == BODY_STREAM_STDERR ? COPY(to, "\nPRIORITY=3\n") : COPY(to, "\nPRIORITY=6\n");
  if (!p->ends)
    to = COPY(to, "CONTAINER_PARTIAL_MESSAGE=true\n");
  return put(to, fields, strlen(fields));
}

static uint8_t *put_record(const struct log_form *form, uint8_t *to, const struct part *p) {
  switch (form->driver) {
  case BODY_LOG_CRI:
    return put_cri(to, p);
  case BODY_LOG_JSON:
    return put_json(to, p);
  case BODY_LOG_JOURNALD:
    return put_journal(to, p, form->fields);
  default:
    return put_raw(to, p);
  }
}

static size_t longest(const struct log_form *form, size_t length) {
  size_t escaped = form->driver == BODY_LOG_JSON ? 6 * length : length;
  return escaped + (form->driver == BODY_LOG_JOURNALD ? LOSS_MAX : 256);
}

static void add_record(struct log *log, struct line *line, const struct part *p, size_t text,
                       bool begins) {
  const struct log_form *form = log_form(log);
  uint8_t *to = log_room(log, longest(form, p->length));
  struct record record = {
      .line = line,
      .length = (size_t)(put_record(form, to, p) - to),
      .text = text,
      .begins = begins,
      .ends = p->ends,
  };
  log_add(log, &record);
}

/* A line whose end was lost gets one, or what follows would be taken for it. */
static void add_end(struct log *log, struct line *line, int stream) {
  const struct part end = {.stream = stream, .bytes = (const uint8_t *)"", .ends = true};
  line->torn = false;
  if (log_form(log)->driver != BODY_LOG_RAW)
    add_record(log, line, &end, 0, true);
}

static void add(struct log *log, struct line *line, const struct part *p) {
  if (line->torn)
    add_end(log, line, p->stream);
  if (line->cut)
    log_skip(log, line, p->length + p->ends, p->ends);
  else
    add_record(log, line, p, p->length + p->ends, !line->within);
  line->within = !p->ends;
}

/* Where a part may end that has no end of its own: JSON is not to have half a character. */
static size_t part_end(const struct log_form *form, const uint8_t *bytes) {
  if (form->driver != BODY_LOG_JSON)
    return PART_MAX;
  for (size_t back = 1; back < 4; back++) {
    uint8_t byte = bytes[PART_MAX - back];
    if (byte < 0xc0 && byte >= 0x80)
      continue;
    size_t size = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return size > back ? PART_MAX - back : PART_MAX;
  }
  return PART_MAX;
}

/* What has no lines of its own is not held back until they end. */
static size_t format_raw(struct log *log, struct line *line, int stream, const uint8_t *bytes,
                         size_t length) {
  for (size_t at = 0; at < length;) {
    size_t left = length - at, most = left < PART_MAX ? left : PART_MAX;
    const uint8_t *end = memchr(bytes + at, '\n', most);
    size_t size = end ? (size_t)(end - (bytes + at)) : most;
    struct part part = {stream, bytes + at, size, end != NULL};
    add(log, line, &part);
    at += size + part.ends;
  }
  return length;
}

size_t format_lines(struct log *log, struct line *line, int stream, const uint8_t *bytes,
                    size_t length, int64_t time) {
  const struct log_form *form = log_form(log);
  put_time(now, time);
  if (form->driver == BODY_LOG_RAW)
    return format_raw(log, line, stream, bytes, length);
  size_t at = 0;
  while (at < length) {
    size_t left = length - at, most = left < PART_MAX + 1 ? left : PART_MAX + 1;
    const uint8_t *end = memchr(bytes + at, '\n', most);
    if (!end && left <= PART_MAX)
      return at;
    size_t size = end ? (size_t)(end - (bytes + at)) : part_end(form, bytes + at);
    struct part part = {stream, bytes + at, size, end != NULL};
    add(log, line, &part);
    at += size + part.ends;
  }
  return at;
}

void format_part(struct log *log, struct line *line, int stream, const uint8_t *bytes,
                 size_t length, int64_t time) {
  struct part part = {stream, bytes, length, false};
  put_time(now, time);
  add(log, line, &part);
}

size_t format_loss(const struct log_form *form, uint64_t lost, int64_t time, uint8_t *to) {
  char text[1 + NUMBER_TEXT + sizeof " bytes lost"];
  char *end = put_text(put_number(put_text(text, form->open ? "\n" : ""), lost), " bytes lost");
  struct part part = {BODY_STREAM_STDERR, (const uint8_t *)text, (size_t)(end - text), true};
  put_time(now, time);
  return (size_t)(put_record(form, to, &part) - to);
}

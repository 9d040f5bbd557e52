/*
 * The monitor's logs: their forms, and what becomes of their files.
 * links: c/monitor/log.c c/monitor/file.c c/monitor/queue.c c/monitor/format.c c/monitor/text.c c/monitor/loop.c c/monitor/memory.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../support/c/corpus.h"
#include "../support/c/log.h"

#define OUT BODY_STREAM_STDOUT
#define ERR BODY_STREAM_STDERR

static char text[5 * PART_MAX];

/* Letters that end in newlines, here and there. */
static void fill(size_t length, const char *end) {
  for (size_t i = 0; i < length; i++)
    text[i] = (char)('a' + i % 26);
  strcpy(text + length, end);
}

static void cri_has_a_line_a_record(void) {
  struct line out = {0}, err = {0};
  struct log *log = open_log(BODY_LOG_CRI, in_folder("cri"), 0, 1);
  feed_text(log, &out, OUT, "one\n\nth");
  feed_text(log, &err, ERR, "bad \xff\n");
  feed_text(log, &out, OUT, "ree\nrest");
  log_end(log, &out, OUT, TEST_TIME);
  log_end(log, &err, ERR, TEST_TIME);
  CHECK_TEXT(contents(in_folder("cri"), NULL),
             TEST_TIME_TEXT " stdout F one\n" TEST_TIME_TEXT " stdout F \n" TEST_TIME_TEXT
                            " stderr F bad \xff\n" TEST_TIME_TEXT " stdout F three\n" TEST_TIME_TEXT
                            " stdout P rest\n");
  log_release(log);
}

static void cri_keeps_every_byte(void) {
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_CRI, in_folder("nul"), 0, 1);
  feed(log, &line, OUT, "a\0b\r\xc3\n", 6);
  size_t length;
  const char *is = contents(in_folder("nul"), &length);
  CHECK_NUMBER(length, 30 + 10 + 6);
  CHECK(memcmp(is + 40, "a\0b\r\xc3\n", 6) == 0);
  log_release(log);
}

/* The length of the text of the record at the start, and whether it is a part. */
static const char *next_part(const char *record, size_t *length, char *tag) {
  *tag = record[38];
  const char *end = strchr(record + 40, '\n');
  NEED(end);
  *length = (size_t)(end - record) - 40;
  return end + 1;
}

static void check_parts(size_t length, const char *end, const size_t *parts, const char *tags) {
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_CRI, in_folder("parts"), 0, 1);
  fill(length, end);
  size_t all = strlen(text);
  for (size_t at = 0, part; at < all; at += part) {
    part = all - at < 10000 ? all - at : 10000;
    feed(log, &line, OUT, text + at, part);
  }
  log_end(log, &line, OUT, TEST_TIME);
  const char *record = contents(in_folder("parts"), NULL);
  for (; *tags; tags++, parts++) {
    size_t is;
    char tag;
    record = next_part(record, &is, &tag);
    CHECK_NUMBER(is, *parts);
    CHECK_NUMBER(tag, *tags);
  }
  CHECK_TEXT(record, "");
  log_release(log);
  unlink(in_folder("parts"));
}

static void long_lines_are_parted(void) {
  check_parts(PART_MAX, "\n", (size_t[]){PART_MAX}, "F");
  check_parts(PART_MAX, "", (size_t[]){PART_MAX}, "P");
  check_parts(PART_MAX + 1, "\n", (size_t[]){PART_MAX, 1}, "PF");
  check_parts(2 * PART_MAX, "\n", (size_t[]){PART_MAX, PART_MAX}, "PF");
  check_parts(3 * PART_MAX + 5, "\nx\n", (size_t[]){PART_MAX, PART_MAX, PART_MAX, 5, 1}, "PPPFF");
}

/* Whatever reads the output was split into, the log is the same. */
static void reads_leave_no_trace(void) {
  static const uint32_t drivers[] = {BODY_LOG_CRI, BODY_LOG_JSON, BODY_LOG_RAW};
  uint64_t state = 88172645463325252u;
  for (int round = 0; round < 60; round++) {
    uint32_t driver = drivers[round % 3];
    size_t length = corpus_random(&state) % (4 * PART_MAX);
    for (size_t i = 0; i < length; i++)
      text[i] =
          corpus_random(&state) % (round % 2 ? 60 : 9000) ? (char)corpus_random(&state) : '\n';
    for (int way = 0; way < 2; way++) {
      struct line line = {0};
      struct log *log = open_log(driver, in_folder(way ? "split" : "whole"), 0, 1);
      for (size_t at = 0, part; at < length; at += part) {
        part = way ? 1 + corpus_random(&state) % 700 : READ_SIZE;
        part = part < length - at ? part : length - at;
        feed(log, &line, OUT, text + at, part);
      }
      log_end(log, &line, OUT, TEST_TIME);
      log_release(log);
    }
    size_t whole_length, split_length;
    char *whole = strdup("");
    whole = realloc(whole, 0x100000);
    const char *is = contents(in_folder("whole"), &whole_length);
    NEED(whole && whole_length < 0x100000);
    memcpy(whole, is, whole_length);
    is = contents(in_folder("split"), &split_length);
    CHECK_NUMBER(split_length, whole_length);
    CHECK(memcmp(whole, is, whole_length) == 0);
    free(whole);
    unlink(in_folder("whole"));
    unlink(in_folder("split"));
  }
}

#define JSON(log, stream) \
  "{\"log\":\"" log "\",\"stream\":\"" stream "\",\"time\":\"" TEST_TIME_TEXT "\"}\n"

static void json_is_escaped(void) {
  struct line out = {0}, err = {0};
  struct log *log = open_log(BODY_LOG_JSON, in_folder("json"), 0, 1);
  feed_text(log, &out, OUT, "a \"quoted\" \\ text, long enough for words \t\x1b[0m\n");
  feed(log, &out, OUT, "n\0l\r\n", 5);
  feed_text(log, &err, ERR, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\n");
  feed_text(log, &out, OUT, "\xff \xc3( \xe2\x82 \xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80\n");
  feed_text(log, &out, OUT, "no end");
  log_end(log, &out, OUT, TEST_TIME);
#define BAD "\xef\xbf\xbd"
  CHECK_TEXT(contents(in_folder("json"), NULL),
             JSON("a \\\"quoted\\\" \\\\ text, long enough for words \\u0009\\u001b[0m\\n",
                  "stdout") JSON("n\\u0000l\\u000d\\n", "stdout")
                 JSON("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\\n", "stderr") JSON(
                     BAD " " BAD "( " BAD BAD " " BAD BAD BAD " " BAD BAD " " BAD BAD BAD BAD "\\n",
                     "stdout") JSON("no end", "stdout"));
  log_release(log);
}

static void json_parts_hold_whole_characters(void) {
  for (size_t before = 0; before < 5; before++) {
    struct line line = {0};
    struct log *log = open_log(BODY_LOG_JSON, in_folder("halves"), 0, 1);
    memset(text, 'x', PART_MAX);
    strcpy(text + PART_MAX - before, "\xf0\x9f\x98\x80 and more\n");
    feed(log, &line, OUT, text, 10000);
    feed_text(log, &line, OUT, text + 10000);
    CHECK(strstr(contents(in_folder("halves"), NULL), "\xf0\x9f\x98\x80"));
    CHECK(!strstr(contents(in_folder("halves"), NULL), BAD));
    log_release(log);
    unlink(in_folder("halves"));
  }
}

static void raw_is_as_it_was(void) {
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_RAW, in_folder("raw"), 0, 1);
  feed_text(log, &line, OUT, "prompt$ ");
  CHECK_TEXT(contents(in_folder("raw"), NULL), "prompt$ ");
  feed_text(log, &line, OUT, "\n\nend");
  log_end(log, &line, OUT, TEST_TIME);
  CHECK_TEXT(contents(in_folder("raw"), NULL), "prompt$ \n\nend");
  log_release(log);
}

/* All lines of the numbered files in their order, each file no longer than that. */
static void check_lines(const char *name, uint32_t files, size_t most, int lines,
                        const char *head) {
  int next = 0;
  for (uint32_t file = files; file-- > 0;) {
    char path[160], wanted[64];
    snprintf(path, sizeof path, file ? "%s.%u" : "%s", name, file);
    size_t length;
    const char *at = contents(path, &length);
    CHECK(length <= most);
    for (const char *end; (end = strchr(at, '\n')); at = end + 1) {
      snprintf(wanted, sizeof wanted, "%sline %d ", head, next++);
      if (strncmp(at, wanted, strlen(wanted)) != 0) {
        fprintf(stderr, "%s: not %s\n", path, wanted);
        test_failed = true;
        return;
      }
    }
    CHECK_TEXT(at, "");
  }
  CHECK_NUMBER(next, lines);
}

static void feed_lines(struct log *log, struct line *line, int from, int to, uint64_t *state) {
  static char bytes[READ_SIZE];
  size_t length = 0;
  for (int i = from; i < to; i++) {
    char one[200];
    int size = snprintf(one, sizeof one, "line %d %.*s\n", i, (int)(corpus_random(state) % 100),
                        "....................................................................."
                        "................................");
    if (length + (size_t)size > sizeof bytes) {
      feed(log, line, OUT, bytes, length);
      length = 0;
    }
    memcpy(bytes + length, one, (size_t)size);
    length += (size_t)size;
  }
  feed(log, line, OUT, bytes, length);
}

static void files_change_between_lines(void) {
  static const struct {
    uint32_t driver;
    const char *name;
    const char *head;
  } forms[] = {{BODY_LOG_CRI, "rotated cri", TEST_TIME_TEXT " stdout F "},
               {BODY_LOG_RAW, "rotated raw", ""},
               {BODY_LOG_JSON, "rotated json", "{\"log\":\""}};
  uint64_t state = 7;
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    struct line line = {0};
    struct log *log = open_log(forms[i].driver, in_folder(forms[i].name), 10000, 1000);
    feed_lines(log, &line, 0, 2000, &state);
    feed_lines(log, &line, 2000, 2001, &state);
    char name[160];
    snprintf(name, sizeof name, "%s", in_folder(forms[i].name));
    check_lines(name, 100, 10000, 2001, forms[i].head);
    log_release(log);
  }
}

static void old_files_go(void) {
  uint64_t state = 9;
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_CRI, in_folder("few"), 5000, 3);
  feed_lines(log, &line, 0, 1000, &state);
  CHECK(access(in_folder("few.2"), F_OK) == 0 && access(in_folder("few.3"), F_OK) != 0);
  log_release(log);
  log = open_log(BODY_LOG_CRI, in_folder("one"), 5000, 1);
  feed_lines(log, &line, 0, 1000, &state);
  CHECK(access(in_folder("one"), F_OK) == 0 && access(in_folder("one.1"), F_OK) != 0);
  log_release(log);
}

/* A line is not cut before its file is twice as long as it may be. */
static void a_long_line_stays_in_its_file(void) {
  struct line out = {0}, err = {0};
  struct stat file;
  struct log *log = open_log(BODY_LOG_CRI, in_folder("long"), 40000, 5);
  fill(3 * PART_MAX, "");
  for (size_t at = 0; at < 3 * PART_MAX; at += 8192)
    feed(log, &out, OUT, text + at, 8192);
  feed_text(log, &err, ERR, "between\n");
  CHECK(access(in_folder("long.1"), F_OK) != 0);
  feed_text(log, &out, OUT, "\n");
  feed_text(log, &out, OUT, "next\n");
  CHECK(stat(in_folder("long.1"), &file) == 0 && file.st_size > 40000 && file.st_size < 80000);
  CHECK_TEXT(contents(in_folder("long"), NULL), TEST_TIME_TEXT " stdout F next\n");
  for (int i = 0; i < 20; i++)
    feed(log, &out, OUT, text, 8192);
  CHECK(stat(in_folder("long"), &file) == 0 && file.st_size < 80000 + PART_MAX);
  log_release(log);
}

static void files_that_cannot_be_renamed_grow(void) {
  uint64_t state = 11;
  struct line line = {0};
  NEED(mkdir(in_folder("stuck.1"), 0700) == 0 && mkdir(in_folder("stuck.1/x"), 0700) == 0);
  struct log *log = open_log(BODY_LOG_CRI, in_folder("stuck"), 5000, 2);
  feed_lines(log, &line, 0, 1000, &state);
  char name[160];
  snprintf(name, sizeof name, "%s", in_folder("stuck"));
  check_lines(name, 1, SIZE_MAX, 1000, TEST_TIME_TEXT " stdout F ");
  log_release(log);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(cri_has_a_line_a_record),
      TEST(cri_keeps_every_byte),
      TEST(long_lines_are_parted),
      TEST(reads_leave_no_trace),
      TEST(json_is_escaped),
      TEST(json_parts_hold_whole_characters),
      TEST(raw_is_as_it_was),
      TEST(files_change_between_lines),
      TEST(old_files_go),
      TEST(a_long_line_stays_in_its_file),
      TEST(files_that_cannot_be_renamed_grow),
  };
  NEED(mkdtemp(folder));
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  remove_folder();
  return status;
}

/*
 * Requests to a monitor as it decodes them, its texts and records.
 * links: c/monitor/packet.c c/monitor/text.c c/monitor/record.c
 */
#define _GNU_SOURCE 1
#include "../../c/monitor/monitor.h"

#include <fcntl.h>

#include "../../c/monitor/text.h"
#include "../support/c/log.h"

static struct request request;

/* A packet of a header, fields and texts as they are given. */
static int decode(uint32_t operation, const void *fields, size_t size, const void *texts,
                  size_t length, uint32_t fds) {
  static uint8_t bytes[BODY_PACKET_MAX + 1];
  const struct body_header header = {operation, 7};
  memcpy(bytes, &header, sizeof header);
  if (size > 0)
    memcpy(bytes + sizeof header, fields, size);
  if (length > 0)
    memcpy(bytes + sizeof header + size, texts, length);
  return packet_decode(bytes, sizeof header + size + length, fds, &request);
}

static int decode_text(uint32_t operation, const void *fields, size_t size, const char *text) {
  return decode(operation, fields, size, text, strlen(text) + 1, 0);
}

static void takes_what_its_operation_has(void) {
  const struct body_watch watch = {.pid = 3, .driver = BODY_LOG_RAW, .max_size = 1, .max_files = 2};
  CHECK_NUMBER(decode(BODY_WATCH, &watch, sizeof watch, "init\0/log\0A=1\n", 15, 2), 0);
  CHECK_NUMBER(request.header.operation, BODY_WATCH);
  CHECK_NUMBER(request.header.request, 7);
  CHECK_NUMBER(request.fields.watch.max_files, 2);
  CHECK_TEXT(request.text[0], "init");
  CHECK_TEXT(request.text[1], "/log");
  CHECK_TEXT(request.text[2], "A=1\n");
  CHECK_NUMBER(decode(BODY_HELLO, NULL, 0, NULL, 0, 0), 0);
  CHECK_NUMBER(decode(BODY_COMMAND, NULL, 0, NULL, 0, 0), 0);
  CHECK_NUMBER(decode(BODY_COMMAND, NULL, 0, NULL, 0, 1), 0);
}

static void refuses_what_it_does_not_have(void) {
  const struct body_watch watch = {0};
  const uint32_t size[2] = {80, 24};
  CHECK_NUMBER(decode(BODY_HELLO, size, 4, NULL, 0, 0), -EINVAL);
  CHECK_NUMBER(decode(BODY_HELLO, NULL, 0, NULL, 0, 1), -EINVAL);
  CHECK_NUMBER(decode(BODY_COMMAND, NULL, 0, NULL, 0, 2), -EINVAL);
  CHECK_NUMBER(decode(BODY_WATCH, &watch, sizeof watch, "a\0b\0c", 6, 0), -EINVAL);
  CHECK_NUMBER(decode(BODY_WATCH, &watch, sizeof watch, "a\0b\0c", 5, 1), -EINVAL);
  CHECK_NUMBER(decode(BODY_WATCH, &watch, sizeof watch, "a\0b\0c\0d", 8, 1), -EINVAL);
  CHECK_NUMBER(decode(BODY_WATCH, &watch, sizeof watch - 1, NULL, 0, 1), -EINVAL);
  CHECK_NUMBER(decode_text(BODY_RESIZE, size, 4, ""), -EINVAL);
  CHECK_NUMBER(decode(BODY_RESIZE, size, sizeof size, NULL, 0, 0), -EINVAL);
  CHECK_NUMBER(decode(99, NULL, 0, NULL, 0, 0), -EOPNOTSUPP);
  CHECK_NUMBER(decode(BODY_ENDED, NULL, 0, NULL, 0, 0), -EOPNOTSUPP);
  CHECK_NUMBER(packet_decode((const uint8_t *)"\1\0\0\0\1\0\0", 7, 0, &request), -EINVAL);
  CHECK_NUMBER(packet_decode(NULL, 0, 0, &request), -EINVAL);
}

static void texts_have_a_longest(void) {
  char name[BODY_NAME_MAX + 2] = {0};
  memset(name, 'x', BODY_NAME_MAX);
  CHECK_NUMBER(decode_text(BODY_REOPEN_LOG, NULL, 0, name), 0);
  name[BODY_NAME_MAX] = 'x';
  CHECK_NUMBER(decode_text(BODY_REOPEN_LOG, NULL, 0, name), -EINVAL);
}

static void places_are_as_many_as_descriptors(void) {
  static int32_t places[BODY_FDS_MAX + 1];
  CHECK_NUMBER(decode(BODY_FDS, places, 4, NULL, 0, 1), 0);
  CHECK_NUMBER(decode(BODY_FDS, places, 8, NULL, 0, 1), -EINVAL);
  CHECK_NUMBER(decode(BODY_FDS, places, 4, NULL, 0, 2), -EINVAL);
  CHECK_NUMBER(decode(BODY_FDS, NULL, 0, NULL, 0, 0), -EINVAL);
  places[BODY_FDS_MAX - 1] = 9;
  CHECK_NUMBER(decode(BODY_FDS, places, 4 * BODY_FDS_MAX, NULL, 0, BODY_FDS_MAX), 0);
  CHECK_NUMBER(request.fields.places[BODY_FDS_MAX - 1], 9);
  CHECK_NUMBER(decode(BODY_FDS, places, sizeof places, NULL, 0, BODY_FDS_MAX + 1), -EINVAL);
}

/* Two numbers, then texts. */
static int decode_command(uint32_t arguments, uint32_t variables, const char *texts,
                          size_t length) {
  uint8_t bytes[64];
  const struct body_command head = {arguments, variables};
  struct body_command command;
  const char *first;
  memcpy(bytes, &head, sizeof head);
  memcpy(bytes + sizeof head, texts, length);
  return command_decode(bytes, sizeof head + length, &command, &first);
}

static void a_command_has_the_texts_that_it_counts(void) {
  CHECK_NUMBER(decode_command(2, 1, "/\0/bin/x\0x\0-v\0A=1", 18), 0);
  CHECK_NUMBER(decode_command(2, 1, "/\0/bin/x\0x\0-v\0A=1", 17), -EINVAL);
  CHECK_NUMBER(decode_command(2, 2, "/\0/bin/x\0x\0-v\0A=1", 18), -EINVAL);
  CHECK_NUMBER(decode_command(1, 1, "/\0/bin/x\0x\0-v\0A=1", 18), -EINVAL);
  CHECK_NUMBER(decode_command(0, 3, "/\0/bin/x\0x\0-v\0A=1", 18), -EINVAL);
  CHECK_NUMBER(decode_command(UINT32_MAX, 2, "/\0/bin/x\0x\0-v", 14), -EINVAL);
  CHECK_NUMBER(decode_command(1, 0, "", 0), -EINVAL);
  CHECK_NUMBER(command_decode((const uint8_t *)"\1\0\0\0\0\0\0", 7, NULL, NULL), -EINVAL);
}

static void numbers_and_times_are_text(void) {
  char text[64] = "";
  *put_number(text, 0) = '\0';
  CHECK_TEXT(text, "0");
  *put_number(text, UINT64_MAX) = '\0';
  CHECK_TEXT(text, "18446744073709551615");
  *put_time(text, TEST_TIME) = '\0';
  CHECK_TEXT(text, TEST_TIME_TEXT);
  *put_time(text, INT64_C(951782400000000001)) = '\0';
  CHECK_TEXT(text, "2000-02-29T00:00:00.000000001Z");
  uint32_t number = 5;
  CHECK_TEXT(take_number("65535 x", 65535, &number), " x");
  CHECK_NUMBER(number, 65535);
  CHECK(take_number("65536", 65535, &number) == NULL);
  CHECK(take_number("99999999999999999999999", UINT32_MAX, &number) == NULL);
  CHECK(take_number("-1", 65535, &number) == NULL);
  CHECK(take_number("", 65535, &number) == NULL);
}

static void a_record_takes_the_place_of_another(void) {
  struct ending ending = {TEST_TIME, {4, 137, 9, BODY_CORE | BODY_OOM}};
  int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  NEED(directory >= 0);
  for (int i = 0; i < 2; i++) {
    int file = record_prepare(directory);
    CHECK_NUMBER(record_write(directory, file, &ending), 0);
    close(file);
    CHECK_TEXT(contents(in_folder("exit.json"), NULL),
               i == 0 ? "{\"pid\":4,\"code\":137,\"signal\":9,\"core\":true,\"oom\":true,\"at\":\""
                        "2026-11-30T10:00:00.123456789Z\"}\n"
                      : "{\"pid\":4,\"code\":0,\"signal\":0,\"core\":false,\"oom\":false,\"at\":\""
                        "2026-11-30T10:00:00.123456789Z\"}\n");
    ending.body = (struct body_ending){.pid = 4};
  }
  CHECK(access(in_folder(".exit.json"), F_OK) != 0);
  close(directory);
}

static uint64_t kills_in(const char *text) {
  int fd = open(in_folder("events"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  uint64_t kills = oom_kills_of(fd);
  close(fd);
  return kills;
}

static void kills_for_memory_are_counted(void) {
  CHECK_NUMBER(kills_in("low 0\nhigh 0\nmax 5\noom 1\noom_kill 3\noom_group_kill 9\n"), 3);
  CHECK_NUMBER(kills_in("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"), 4);
  CHECK_NUMBER(kills_in("oom_kill_disable 7\n"), 0);
  CHECK_NUMBER(kills_in(""), 0);
  CHECK_NUMBER(oom_kills_of(-1), 0);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(takes_what_its_operation_has),
      TEST(refuses_what_it_does_not_have),
      TEST(texts_have_a_longest),
      TEST(places_are_as_many_as_descriptors),
      TEST(a_command_has_the_texts_that_it_counts),
      TEST(numbers_and_times_are_text),
      TEST(a_record_takes_the_place_of_another),
      TEST(kills_for_memory_are_counted),
  };
  NEED(mkdtemp(folder));
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  remove_folder();
  return status;
}

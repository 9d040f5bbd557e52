/*
 * What the front takes for its own: command lines, and records.
 * links: c/front/words.c c/front/record.c c/front/files.c c/front/say.c
 */
#define _GNU_SOURCE 1
#include "../../c/front/words.h"

#include "../support/c/record.h"
#include "../support/c/test.h"

#define WORDS_MAX 16

/* Splits at spaces; "_" is an empty word. */
static int reads(struct call *call, const char *line) {
  static char text[512];
  char *words[WORDS_MAX + 1] = {NULL};
  int count = 0;
  snprintf(text, sizeof text, "%s", line);
  for (char *word = strtok(text, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
    words[count++] = strcmp(word, "_") == 0 ? word + 1 : word;
  return read_words(call, words);
}

static void command_lines_of_list_are_read(void) {
  static const struct {
    const char *line;
    int quiet, json;
  } lines[] = {
      {"list", 0, 0},
      {"list -q", 1, 0},
      {"list --quiet --format json", 1, 1},
      {"--log /l list -f json", 0, 1},
      {"list --format=json --format=table", 0, 0},
      {"list --root=/r -f table", 0, 0},
  };
  static const char *const others[] = {"list web",       "list -f",         "list -f xml",
                                       "list --format=", "list --filter x", "list --all"};
  struct call call;
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    CHECK(reads(&call, lines[i].line));
    CHECK_NUMBER(call.verb, VERB_LIST);
    CHECK(call.id == NULL);
    CHECK_NUMBER(call.quiet, lines[i].quiet);
    CHECK_NUMBER(call.json, lines[i].json);
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    CHECK(!reads(&call, others[i]));
}

static void command_lines_of_clients_are_read(void) {
  static const struct {
    const char *line;
    struct call call;
  } lines[] = {
      {"state web", {.verb = VERB_STATE, .signal = NO_SIGNAL}},
      {"start web", {.verb = VERB_START, .signal = NO_SIGNAL}},
      {"kill web", {.verb = VERB_KILL, .signal = NO_SIGNAL}},
      {"kill web 15", {.verb = VERB_KILL, .signal = 15}},
      {"kill web KILL", {.verb = VERB_KILL, .signal = 9}},
      {"kill web SIGKILL", {.verb = VERB_KILL, .signal = 9}},
      {"kill web sigterm", {.verb = VERB_KILL, .signal = 15}},
      {"kill web 0", {.verb = VERB_KILL, .signal = 0}},
      {"kill --all web 9", {.verb = VERB_KILL, .signal = 9, .all = 1}},
      {"kill web 9 -a", {.verb = VERB_KILL, .signal = 9, .all = 1}},
      {"delete web", {.verb = VERB_DELETE, .signal = NO_SIGNAL}},
      {"delete --force web", {.verb = VERB_DELETE, .signal = NO_SIGNAL, .force = 1}},
      {"delete web -f", {.verb = VERB_DELETE, .signal = NO_SIGNAL, .force = 1}},
      {"--root /r --log /l --log-format json --systemd-cgroup state web",
       {.verb = VERB_STATE, .root = "/r", .log = "/l", .signal = NO_SIGNAL}},
      {"--log-format=json --log=/l delete --root=/r web",
       {.verb = VERB_DELETE, .root = "/r", .log = "/l", .signal = NO_SIGNAL}},
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    const struct call *wanted = &lines[i].call;
    struct call call;
    CHECK(reads(&call, lines[i].line));
    CHECK_TEXT(call.id, "web");
    CHECK_TEXT(call.root ? call.root : "", wanted->root ? wanted->root : "");
    CHECK_TEXT(call.log ? call.log : "", wanted->log ? wanted->log : "");
    CHECK_NUMBER(call.verb, wanted->verb);
    CHECK_NUMBER(call.signal, wanted->signal);
    CHECK_NUMBER(call.all, wanted->all);
    CHECK_NUMBER(call.force, wanted->force);
  }
}

static void any_other_command_line_is_for_deno(void) {
  static const char *const lines[] = {
      "",
      "_",
      "state",
      "state _",
      "state web more",
      "state --all web",
      "state .web",
      "state a/b",
      "state -- web",
      "state --help web",
      "state web --help",
      "ps web",
      "run web",
      "--root",
      "--root _ state web",
      "--root= state web",
      "--root relative state web",
      "--root /\xc3\xa9 state web",
      "-root /r state web",
      "--debug state web",
      "--log-level debug state web",
      "--log journald:x state web",
      "--log-format yaml state web",
      "--rootless=true state web",
      "--cgroup-manager disabled state web",
      "--systemd-cgroup=true state web",
      "kill web NOSUCH",
      "kill web 65",
      "kill web 0015",
      "kill web RTMIN+3",
      "kill web 9 9",
      "kill --all=true web 9",
      "kill --regex web",
      "kill --force web",
      "delete --regex web",
      "delete -ff web",
      "--force delete web",
      "--no-such-option-of-this-length-at-all state web",
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    struct call call;
    if (reads(&call, lines[i]))
      CHECK_TEXT(lines[i], "refused");
  }
}

static void ids_are_as_long_as_file_names(void) {
  char line[300] = "state ";
  struct call call;
  memset(line + 6, 'x', 255);
  line[6 + 255] = 0;
  CHECK(reads(&call, line));
  strcat(line, "x");
  CHECK(!reads(&call, line));
}

/* A copy of its own length, so that the sanitizer sees what is read behind it. */
static int is_taken(const struct record_bytes *bytes, size_t length) {
  struct prepared *copy = malloc(length ? length : 1);
  memcpy(copy, bytes, length);
  int sound = is_sound(copy, length);
  free(copy);
  return sound;
}

static void a_sound_record_is_taken(void) {
  struct record_bytes bytes = sample_record();
  CHECK(is_taken(&bytes, bytes.head.size));
}

static void a_record_that_lies_is_not(void) {
  static const size_t texts[] = {
      offsetof(struct prepared, status),        offsetof(struct prepared, before_pid),
      offsetof(struct prepared, before_state),  offsetof(struct prepared, after_state),
      offsetof(struct prepared, freezer_state), offsetof(struct prepared, cgroup_freeze),
      offsetof(struct prepared, cgroup_events), offsetof(struct prepared, cgroup_name),
  };
  struct record_bytes good = sample_record();
  for (size_t length = 0; length < good.head.size; length++)
    CHECK(!is_taken(&good, length));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    static const uint32_t odd[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
    for (size_t j = 0; j < 2 * sizeof odd / sizeof *odd; j++) {
      struct record_bytes bad = good;
      memcpy((char *)&bad + texts[i] + 4 * (j % 2), &odd[j / 2], sizeof *odd);
      CHECK(!is_taken(&bad, bad.head.size) || memcmp(&bad, &good, sizeof bad) == 0);
    }
  }
  struct record_bytes bad = good;
  bad.head.pid = 0;
  CHECK(!is_taken(&bad, bad.head.size));
  bad = good;
  bad.head.cgroup_count = PREPARED_CGROUPS_MAX + 1;
  CHECK(!is_taken(&bad, bad.head.size));
  bad = good;
  bad.head.cgroups += 4;
  CHECK(!is_taken(&bad, bad.head.size));
  bad = good;
  bad.texts[bad.head.freezer_state.offset - sizeof bad.head] = 'x'; /* no path from the root */
  CHECK(!is_taken(&bad, bad.head.size));
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(command_lines_of_clients_are_read),
      TEST(command_lines_of_list_are_read),
      TEST(any_other_command_line_is_for_deno),
      TEST(ids_are_as_long_as_file_names),
      TEST(a_sound_record_is_taken),
      TEST(a_record_that_lies_is_not),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}

/*
 * What the front makes of records when it lists them: documents as they come, in the order of their ids.
 * links: c/front/list.c c/front/directory.c c/front/files.c c/front/say.c c/front/state.c c/front/words.c
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../c/front/link_data.h"
#include "../../c/front/verbs.h"
#include "../support/c/record.h"
#include "../support/c/test.h"

#define TEXT_ROOM (1 << 20)

const struct link_data front_link_data;

/* What the next record says. */
static struct record_bytes sample;
static enum state told;

long open_directory(long at, const char *path) {
  return openat((int)at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int open_log(const char *path) {
  return path == NULL;
}

const struct prepared *read_record(struct reading *reading, long directory) {
  (void)reading, (void)directory;
  return &sample.head;
}

enum state state_of(const struct container *container) {
  (void)container;
  return told;
}

/* A document with these members behind its state. */
static void tell(const char *members) {
  sample = sample_record();
  sample.head.before_pid = record_text(&sample, "{\n  \"id\": \"web\",\n  \"pid\": ");
  sample.head.after_state = record_text(&sample, members);
}

/* What is printed of a root with these containers; the code, and the text in `text`. */
static int list(const char *const *ids, struct call call, char text[TEXT_ROOM]) {
  char root[] = "/tmp/runts-list-XXXXXX", path[64];
  NEED(mkdtemp(root) != NULL);
  for (const char *const *id = ids; *id; id++) {
    snprintf(path, sizeof path, "%s/%s", root, *id);
    NEED(mkdir(path, 0700) == 0);
  }
  int memory = memfd_create("list", MFD_CLOEXEC), stdout_was = dup(1);
  fflush(NULL);
  NEED(memory >= 0 && dup2(memory, 1) == 1);
  int code = list_containers(&call, root);
  dup2(stdout_was, 1);
  close(stdout_was);
  ssize_t n = pread(memory, text, TEXT_ROOM - 1, 0);
  text[n < 0 ? 0 : n] = 0;
  close(memory);
  for (const char *const *id = ids; *id; id++) {
    snprintf(path, sizeof path, "%s/%s", root, *id);
    rmdir(path);
  }
  rmdir(root);
  return code;
}

static char text[TEXT_ROOM];
static const char MEMBERS[] =
    "\",\n  \"bundle\": \"/b\",\n  \"created\": \"now\",\n  \"annotations\": {\n"
    "    \"owner\": \"no\",\n    \"a \\\" b\\\\\": \" c  d \"\n  },\n"
    "  \"owner\": \"root\"\n}\n";

static void prints_a_table_in_the_order_of_ids(void) {
  static const char *const ids[] = {"b", "a", "a-very-long-name", "B", NULL};
  tell(MEMBERS);
  told = STATE_RUNNING;
  CHECK_NUMBER(list(ids, (struct call){.verb = VERB_LIST}, text), DONE);
  CHECK_TEXT(text, "ID                 PID         STATUS      BUNDLE      CREATED     OWNER\n"
                   "B                  4711        running     /b          now         root\n"
                   "a                  4711        running     /b          now         root\n"
                   "a-very-long-name   4711        running     /b          now         root\n"
                   "b                  4711        running     /b          now         root\n");
}

static void prints_documents_on_one_line(void) {
  static const char *const ids[] = {"one", "two", NULL};
  static const char wanted[] =
      "{\"id\":\"web\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"/b\",\"created\":\"now\","
      "\"annotations\":{\"owner\":\"no\",\"a \\\" b\\\\\":\" c  d \"},\"owner\":\"root\"}";
  char both[1024];
  tell(MEMBERS);
  told = STATE_STOPPED;
  CHECK_NUMBER(list(ids, (struct call){.verb = VERB_LIST, .json = 1}, text), DONE);
  snprintf(both, sizeof both, "[%s,%s]\n", wanted, wanted);
  CHECK_TEXT(text, both);
}

static void prints_nothing_but_ids_when_it_is_quiet(void) {
  static const char *const ids[] = {"two", "one", NULL}, *const none[] = {NULL};
  tell(MEMBERS);
  told = STATE_CREATED;
  CHECK_NUMBER(list(ids, (struct call){.verb = VERB_LIST, .quiet = 1, .json = 1}, text), DONE);
  CHECK_TEXT(text, "one\ntwo\n");
  CHECK_NUMBER(list(none, (struct call){.verb = VERB_LIST, .quiet = 1}, text), DONE);
  CHECK_TEXT(text, "");
  CHECK_NUMBER(list(none, (struct call){.verb = VERB_LIST, .json = 1}, text), DONE);
  CHECK_TEXT(text, "[]\n");
}

/* More rows than fit into what is taken at a time. */
static void has_room_for_many(void) {
  static char names[1000][16];
  const char *ids[1001] = {NULL};
  for (int i = 0; i < 1000; i++) {
    snprintf(names[i], sizeof names[i], "c%03d", i);
    ids[i] = names[i];
  }
  tell(MEMBERS);
  told = STATE_RUNNING;
  CHECK_NUMBER(list(ids, (struct call){.verb = VERB_LIST}, text), DONE);
  int lines = 0;
  for (const char *at = text; *at; at++)
    lines += *at == '\n';
  CHECK_NUMBER(lines, 1001);
  CHECK(strstr(text, "\nc999 ") > strstr(text, "\nc998 "));
}

static void leaves_to_deno_what_it_cannot_tell(void) {
  static const char *const ids[] = {"one", NULL}, *const strange[] = {"one", "\xc3\xa4", NULL};
  static const char *const others[] = {
      "\",\n  \"bundle\": \"/\\u0041\",\n  \"created\": \"now\",\n  \"owner\": \"root\"\n}\n",
      "\",\n  \"bundle\": \"/\xc3\xa4\",\n  \"created\": \"now\",\n  \"owner\": \"root\"\n}\n",
      "\",\n  \"bundle\": \"/b\",\n  \"created\": \"now\"\n}\n",
      "\",\n  \"bundle\": \"/b",
  };
  struct call call = {.verb = VERB_LIST};
  told = STATE_RUNNING;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    tell(others[i]);
    CHECK_NUMBER(list(ids, call, text), COLD);
    CHECK_TEXT(text, "");
  }
  tell(MEMBERS);
  CHECK_NUMBER(list(strange, call, text), COLD);
  told = STATE_UNKNOWN;
  CHECK_NUMBER(list(ids, call, text), COLD);
  told = STATE_RUNNING;
  call.log = "/nowhere";
  CHECK_NUMBER(list(ids, call, text), COLD);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(prints_a_table_in_the_order_of_ids),      TEST(prints_documents_on_one_line),
      TEST(prints_nothing_but_ids_when_it_is_quiet), TEST(has_room_for_many),
      TEST(leaves_to_deno_what_it_cannot_tell),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}

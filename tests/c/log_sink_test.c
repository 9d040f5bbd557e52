/*
 * The monitor's logs where something is wrong: deleted and cut files, full disks, fifos and journals that have no
 * room.
 * links: c/monitor/log.c c/monitor/file.c c/monitor/queue.c c/monitor/format.c c/monitor/text.c c/monitor/loop.c c/monitor/memory.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../support/c/log.h"

#define OUT BODY_STREAM_STDOUT
#define CRI TEST_TIME_TEXT " stdout F "

static void a_deleted_file_is_made_anew(void) {
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_CRI, in_folder("gone"), 0, 1);
  feed_text(log, &line, OUT, "one\n");
  NEED(unlink(in_folder("gone")) == 0);
  feed_text(log, &line, OUT, "two\n");
  CHECK_TEXT(contents(in_folder("gone"), NULL), CRI "two\n");
  log_release(log);
}

static void a_renamed_file_is_left_when_asked(void) {
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_CRI, in_folder("name"), 0, 1);
  feed_text(log, &line, OUT, "one\n");
  NEED(rename(in_folder("name"), in_folder("former")) == 0);
  feed_text(log, &line, OUT, "two\n");
  CHECK_NUMBER(log_reopen(log), 0);
  feed_text(log, &line, OUT, "three\n");
  CHECK_TEXT(contents(in_folder("former"), NULL), CRI "one\n" CRI "two\n");
  CHECK_TEXT(contents(in_folder("name"), NULL), CRI "three\n");
  log_release(log);
}

/* What is missing while there is no folder is told afterwards. */
static void a_missing_folder_loses_lines(void) {
  struct line line = {0};
  uint64_t lost = the_monitor.lost;
  NEED(mkdir(in_folder("sub"), 0700) == 0);
  struct log *log = open_log(BODY_LOG_RAW, in_folder("sub/log"), 0, 1);
  feed_text(log, &line, OUT, "one\n");
  NEED(unlink(in_folder("sub/log")) == 0 && rmdir(in_folder("sub")) == 0);
  feed_text(log, &line, OUT, "two\n");
  CHECK_NUMBER(log_reopen(log), -ENOENT);
  CHECK_NUMBER(the_monitor.lost - lost, 4);
  NEED(mkdir(in_folder("sub"), 0700) == 0);
  feed_text(log, &line, OUT, "three\n");
  CHECK_TEXT(contents(in_folder("sub/log"), NULL), "4 bytes lost\nthree\n");
  log_release(log);
}

static void a_file_that_somebody_cut_grows_again(void) {
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_CRI, in_folder("cut"), 120, 2);
  feed_text(log, &line, OUT, "one\n");
  feed_text(log, &line, OUT, "two\n");
  NEED(truncate(in_folder("cut"), 0) == 0);
  feed_text(log, &line, OUT, "three\n");
  CHECK_TEXT(contents(in_folder("cut"), NULL), CRI "three\n");
  CHECK(access(in_folder("cut.1"), F_OK) != 0);
  log_release(log);
}

static void limit_files(rlim_t size) {
  const struct rlimit limit = {size, RLIM_INFINITY};
  NEED(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* A limit of files does what a full disk does: a write is cut short, the next one fails. */
static void a_full_disk_tears_no_line(void) {
  struct line line = {0};
  uint64_t lost = the_monitor.lost, written = the_monitor.written;
  struct log *log = open_log(BODY_LOG_CRI, in_folder("full"), 0, 1);
  limit_files(100);
  feed_text(log, &line, OUT, "one\ntwo\nthree\n"); /* 44 + 44 + 46 */
  feed_text(log, &line, OUT, "four\n");
  CHECK_TEXT(contents(in_folder("full"), NULL), CRI "one\n" CRI "two\n");
  CHECK_NUMBER(the_monitor.lost - lost, 6 + 5);
  CHECK_NUMBER(the_monitor.written - written, 4 + 4);
  limit_files(RLIM_INFINITY);
  feed_text(log, &line, OUT, "five\n");
  const char *rest = contents(in_folder("full"), NULL) + 2 * (40 + 4);
  CHECK(strncmp(rest + 30, " stderr F 11 bytes lost\n", 24) == 0);
  CHECK_TEXT(rest + 54, CRI "five\n");
  log_release(log);
}

/* What stands of a line whose rest was lost has an end, so that nothing else is taken for that. */
static void a_line_that_was_cut_has_an_end(void) {
  struct line line = {0};
  static char part[PART_MAX + 1];
  struct log *log = open_log(BODY_LOG_CRI, in_folder("half"), 0, 1);
  memset(part, 'x', PART_MAX);
  limit_files(PART_MAX + 100);
  for (int i = 0; i < 3; i++)
    feed_text(log, &line, OUT, part);
  limit_files(RLIM_INFINITY);
  feed_text(log, &line, OUT, "the end\nnext\n");
  size_t length;
  const char *rest = contents(in_folder("half"), &length) + 40 + PART_MAX + 1;
  NEED(length > 40 + PART_MAX + 1);
  char wanted[128];
  snprintf(wanted, sizeof wanted, " stderr F %d bytes lost\n", 2 * PART_MAX + 8);
  CHECK(strncmp(rest + 30, wanted, strlen(wanted)) == 0);
  CHECK_TEXT(strchr(rest, '\n') + 1, CRI "\n" CRI "next\n");
  log_release(log);
}

static void a_raw_line_that_was_cut_has_an_end(void) {
  struct line line = {0};
  struct log *log = open_log(BODY_LOG_RAW, in_folder("half raw"), 0, 1);
  limit_files(9);
  feed_text(log, &line, OUT, "one\nbegin");
  feed_text(log, &line, OUT, "ning of");
  limit_files(RLIM_INFINITY);
  feed_text(log, &line, OUT, " a line\nnext\n");
  CHECK_TEXT(contents(in_folder("half raw"), NULL), "one\nbegin\n15 bytes lost\nnext\n");
  log_release(log);
}

static int make_fifo(const char *name) {
  NEED(mkfifo(in_folder(name), 0600) == 0);
  int fd = open(in_folder(name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  NEED(fd >= 0);
  return fd;
}

static char *read_all(int fd, size_t size) {
  static char bytes[1 << 20];
  size_t length = 0;
  while (length < size) {
    ssize_t got = read(fd, bytes + length, size - length);
    if (got <= 0)
      break;
    length += (size_t)got;
    loop_turn(1); /* what waits goes on */
  }
  bytes[length] = '\0';
  return bytes;
}

/* Lines of 100 bytes: all that are there are whole, and in their order; between them, how much is missing. */
static int check_numbered(const char *at, int *losses) {
  int next = 0, seen = 0;
  *losses = 0;
  for (const char *end; (end = strchr(at, '\n')); at = end + 1) {
    int number, lost;
    if (sscanf(at, "%d bytes lost\n", &lost) == 1 && strncmp(end - 5, " lost", 5) == 0) {
      CHECK_NUMBER(lost % 100, 0);
      next += lost / 100;
      *losses += 1;
      continue;
    }
    CHECK_NUMBER(end - at, 99);
    CHECK(sscanf(at, "line %d", &number) == 1);
    CHECK_NUMBER(number, next++);
    seen++;
  }
  CHECK_TEXT(at, "");
  return seen;
}

static void put_numbered(struct log *log, struct line *line, int from, int to) {
  char text[101];
  for (int i = from; i < to; i++) {
    memset(text, '.', sizeof text);
    text[snprintf(text, sizeof text, "line %d", i)] = ' ';
    strcpy(text + 99, "\n");
    feed_text(log, line, OUT, text);
  }
}

static void a_fifo_without_room_holds_nobody_up(void) {
  struct line line = {0};
  uint64_t lost = the_monitor.lost, written = the_monitor.written;
  int reader = make_fifo("fifo"), losses;
  struct log *log = open_log(BODY_LOG_RAW, in_folder("fifo"), 0, 1);
  put_numbered(log, &line, 0, 2000);
  lost = the_monitor.lost - lost;
  CHECK(lost > 20000 && lost < 200000 && lost % 100 == 0);
  CHECK(logs_wait());
  char *all = strdup(read_all(reader, 1 << 20));
  NEED(all && !logs_wait());
  put_numbered(log, &line, 2000, 2001);
  char *rest = read_all(reader, 1 << 20);
  CHECK(strncmp(rest, "line 2000 ", 10) == 0);
  all = realloc(all, strlen(all) + strlen(rest) + 1);
  NEED(all);
  int seen = check_numbered(strcat(all, rest), &losses);
  CHECK(losses > 0);
  CHECK_NUMBER(seen, 2001 - (int)lost / 100);
  CHECK_NUMBER(the_monitor.written - written, 100 * (uint64_t)seen);
  free(all);
  log_release(log);
  close(reader);
}

/* A record is longer than what a pipe takes at once: its rest comes first. */
static void a_fifo_tears_no_line(void) {
  struct line line = {0};
  int reader = make_fifo("slow"), losses;
  struct log *log = open_log(BODY_LOG_RAW, in_folder("slow"), 0, 1);
  fcntl(reader, F_SETPIPE_SZ, 4096);
  char *all = calloc(1, 1 << 20);
  size_t length = 0;
  NEED(all);
  for (int i = 0; i < 1500; i++) {
    put_numbered(log, &line, i, i + 1);
    if (i % 3 == 0)
      length += strlen(strcpy(all + length, read_all(reader, 150)));
  }
  strcpy(all + length, read_all(reader, 1 << 20));
  check_numbered(all, &losses);
  free(all);
  log_release(log);
  close(reader);
}

static int make_journal(const char *name, int fd) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  if (fd >= 0)
    close(fd);
  strcpy(at.sun_path, in_folder(name));
  unlink(at.sun_path);
  fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  NEED(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
  return fd;
}

static const char *entry(int journal) {
  static char bytes[1 << 16];
  ssize_t length = recv(journal, bytes, sizeof bytes - 1, 0);
  bytes[length < 0 ? 0 : length] = '\0';
  return bytes;
}

static void a_journal_gets_entries(void) {
  struct line out = {0}, err = {0};
  int journal = make_journal("journal", -1);
  struct log *log = open_log(BODY_LOG_JOURNALD, in_folder("journal"), 0, 1);
  feed_text(log, &out, OUT, "one\ntwo = 2\nrest");
  feed_text(log, &err, BODY_STREAM_STDERR, "bad\n");
  log_end(log, &out, OUT, TEST_TIME);
  CHECK_TEXT(entry(journal), "MESSAGE=one\nPRIORITY=6\nCONTAINER_ID=c1\n");
  CHECK_TEXT(entry(journal), "MESSAGE=two = 2\nPRIORITY=6\nCONTAINER_ID=c1\n");
  CHECK_TEXT(entry(journal), "MESSAGE=bad\nPRIORITY=3\nCONTAINER_ID=c1\n");
  CHECK_TEXT(entry(journal), "MESSAGE=rest\nPRIORITY=6\nCONTAINER_PARTIAL_MESSAGE=true\n"
                             "CONTAINER_ID=c1\n");
  CHECK_TEXT(entry(journal), "");
  log_release(log);
  close(journal);
}

static void a_journal_may_begin_anew(void) {
  struct line line = {0};
  int journal = make_journal("anew", -1);
  struct log *log = open_log(BODY_LOG_JOURNALD, in_folder("anew"), 0, 1);
  feed_text(log, &line, OUT, "one\n");
  journal = make_journal("anew", journal);
  feed_text(log, &line, OUT, "two\n");
  CHECK_TEXT(entry(journal), "MESSAGE=two\nPRIORITY=6\nCONTAINER_ID=c1\n");
  close(journal);
  unlink(in_folder("anew"));
  feed_text(log, &line, OUT, "three\n");
  journal = make_journal("anew", -1);
  feed_text(log, &line, OUT, "four\n");
  CHECK_TEXT(entry(journal), "MESSAGE=6 bytes lost\nPRIORITY=3\nCONTAINER_ID=c1\n");
  CHECK_TEXT(entry(journal), "MESSAGE=four\nPRIORITY=6\nCONTAINER_ID=c1\n");
  log_release(log);
  close(journal);
}

static void a_full_journal_holds_nobody_up(void) {
  struct line line = {0};
  int journal = make_journal("busy", -1), number = 0, lost = 0, is;
  struct log *log = open_log(BODY_LOG_JOURNALD, in_folder("busy"), 0, 1);
  put_numbered(log, &line, 0, 2000);
  for (const char *at; *(at = entry(journal)); loop_turn(1)) {
    if (sscanf(at, "MESSAGE=%d bytes lost", &lost) == 1)
      break;
    CHECK(sscanf(at, "MESSAGE=line %d ", &is) == 1);
    CHECK_NUMBER(is, number++);
  }
  CHECK(number > 10 && number < 2000);
  CHECK_NUMBER(lost, 100 * (2000 - number));
  put_numbered(log, &line, 2000, 2001);
  CHECK(sscanf(entry(journal), "MESSAGE=line %d ", &is) == 1 && is == 2000);
  log_release(log);
  close(journal);
}

static void several_processes_may_share_a_log(void) {
  struct line one = {0}, other = {0};
  struct log *log = open_log(BODY_LOG_RAW, in_folder("shared"), 0, 1);
  CHECK(open_log(BODY_LOG_RAW, in_folder("shared"), 0, 1) == log);
  feed_text(log, &one, OUT, "one\n");
  log_release(log);
  feed_text(log, &other, OUT, "other\n");
  CHECK_TEXT(contents(in_folder("shared"), NULL), "one\nother\n");
  log_release(log);
}

static void what_is_no_log_is_refused(void) {
  struct log *log;
  struct body_watch watch = {.driver = BODY_LOG_CRI, .max_files = 1};
  CHECK_NUMBER(log_open(&watch, "relative", "", &log), -EINVAL);
  CHECK_NUMBER(log_open(&watch, folder, "", &log), -EISDIR);
  CHECK_NUMBER(log_open(&watch, in_folder("no/log"), "", &log), -ENOENT);
  watch.max_files = 0;
  CHECK_NUMBER(log_open(&watch, in_folder("log"), "", &log), -EINVAL);
  watch = (struct body_watch){.driver = BODY_LOG_JOURNALD + 1, .max_files = 1};
  CHECK_NUMBER(log_open(&watch, in_folder("log"), "", &log), -EINVAL);
  watch = (struct body_watch){.driver = BODY_LOG_NONE, .max_files = 1};
  CHECK_NUMBER(log_open(&watch, "", "", &log), 0);
  CHECK(log == NULL);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(a_deleted_file_is_made_anew),
      TEST(a_renamed_file_is_left_when_asked),
      TEST(a_missing_folder_loses_lines),
      TEST(a_file_that_somebody_cut_grows_again),
      TEST(a_full_disk_tears_no_line),
      TEST(a_line_that_was_cut_has_an_end),
      TEST(a_raw_line_that_was_cut_has_an_end),
      TEST(a_fifo_without_room_holds_nobody_up),
      TEST(a_fifo_tears_no_line),
      TEST(a_journal_gets_entries),
      TEST(a_journal_may_begin_anew),
      TEST(a_full_journal_holds_nobody_up),
      TEST(several_processes_may_share_a_log),
      TEST(what_is_no_log_is_refused),
  };
  signal(SIGXFSZ, SIG_IGN);
  NEED(mkdtemp(folder));
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  remove_folder();
  return status;
}

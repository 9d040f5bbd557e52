/*
 * The monitor as a whole, in this process: brains, processes, their streams and ends.
 * links: c/monitor/loop.c c/monitor/reap.c c/monitor/connection.c c/monitor/packet.c c/monitor/operations.c c/monitor/held.c c/monitor/process.c c/monitor/record.c c/monitor/ended.c c/monitor/streams.c c/monitor/terminal.c c/monitor/input.c c/monitor/control.c c/monitor/attach.c c/monitor/command.c c/monitor/memory.c c/monitor/forward.c c/monitor/peer.c c/monitor/frame.c c/monitor/link.c c/monitor/fifo.c c/common/exit_info.c c/common/zombie_info.c c/monitor/log.c c/monitor/file.c c/monitor/queue.c c/monitor/format.c c/monitor/text.c c/common/memfd.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include <sys/stat.h>

#include "../support/c/brain.h"
#include "../support/c/corpus.h"

static int directory = -1;

static int sealed(const char *text) {
  int fd = sealed_memfd("test", 0, text, strlen(text));
  NEED(fd >= 0);
  return fd;
}

/* The pid of a process that runs the line. */
static pid_t spawn_line(int brain, const char *name, const char *line, uint32_t stdio) {
  bool terminal = stdio == BODY_STDIO_TERMINAL;
  const struct body_spawn spawn = {
      .slots = terminal, .stdio = stdio, .console = terminal ? 0 : -1, .umask = 022};
  int plan = sealed(line), fds[2] = {plan, plan}, got[2];
  say(brain, BODY_SPAWN, &spawn, sizeof spawn, name, strlen(name) + 1, fds, 2);
  struct heard heard = hear(brain, got);
  NEED(heard.head.result == 0 && got[0] >= 0 && got[1] >= 0);
  close(got[0]);
  close(got[1]);
  close(plan);
  return heard.fields.spawned.pid;
}

static int watch_as(int brain, const char *name, pid_t pid, uint32_t driver) {
  char texts[300];
  const struct body_watch watch = {.pid = pid, .driver = driver, .max_files = 1};
  int got[2], length = snprintf(texts, sizeof texts, "%s%c%s%c", name, 0, in_folder("log"), 0);
  say(brain, BODY_WATCH, &watch, sizeof watch, texts, (size_t)length + 1, &directory, 1);
  return hear(brain, got).head.result;
}

static int ask(int brain, uint32_t operation, const char *name) {
  int got[2];
  say(brain, operation, NULL, 0, name, name ? strlen(name) + 1 : 0, NULL, 0);
  return hear(brain, got).head.result;
}

static void subscribe(int brain) {
  const uint64_t since = UINT64_MAX;
  int got[2];
  say(brain, BODY_SUBSCRIBE, &since, sizeof since, NULL, 0, NULL, 0);
  CHECK_NUMBER(hear(brain, got).head.result, 0);
}

static int attach_to(int brain, const char *name, uint32_t flags) {
  int got[2];
  say(brain, BODY_ATTACH, &flags, sizeof flags, name, strlen(name) + 1, NULL, 0);
  CHECK_NUMBER(hear(brain, got).head.result, 0);
  return got[0];
}

/* Lets the monitor work until the log is so long. */
static void work_for_log(size_t length) {
  struct stat file = {0};
  for (uint64_t end = now_ns() + PATIENCE_NS; (size_t)file.st_size < length;) {
    work();
    NEED(now_ns() < end && stat(in_folder("log"), &file) == 0);
  }
}

static void a_process_is_watched_to_its_end(void) {
  int brain = connect_brain(), got[2];
  size_t before = count_descriptors();
  subscribe(brain);
  pid_t pid = spawn_line(brain, "init", "read x; echo word; exit 3", BODY_STDIO_INPUT);
  CHECK_NUMBER(watch_as(brain, "init", pid, BODY_LOG_RAW), 0);
  CHECK_NUMBER(ask(brain, BODY_CLOSE_STDIN, "init"), 0);
  struct heard end = hear(brain, got);
  CHECK_NUMBER(end.head.operation, BODY_ENDED);
  CHECK_NUMBER(end.fields.ended.ending.pid, pid);
  CHECK_NUMBER(end.fields.ended.ending.code, 3);
  CHECK_TEXT(end.fields.bytes + sizeof end.fields.ended, "init");
  CHECK_TEXT(contents(in_folder("log"), NULL), "word\n");
  CHECK(strstr(contents(in_folder("exit.json"), NULL), "\"code\":3,"));
  CHECK_NUMBER(count_descriptors(), before);
  close(brain);
  work();
  CHECK_NUMBER(count_descriptors(), before - 2);
  unlink(in_folder("log"));
}

static void a_terminal_can_be_attached_as_it_is(void) {
  int brain = connect_brain(), got[2], pair[2];
  const uint32_t flags = BODY_ATTACH_STDIN | BODY_ATTACH_REPLAY, kept = 4096, none = 0;
  size_t before = count_descriptors();
  subscribe(brain);
  NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  pid_t pid = spawn_line(brain, "init", "read x; echo $x out; exit 3", BODY_STDIO_INPUT);
  say(brain, BODY_KEEP, &kept, sizeof kept, "init", sizeof "init", NULL, 0);
  CHECK_NUMBER(hear(brain, got).head.result, 0);
  say(brain, BODY_KEEP, &none, sizeof none, "init", sizeof "init", NULL, 0);
  CHECK_NUMBER(hear(brain, got).head.result, -EINVAL);
  say(brain, BODY_ATTACH, &flags, sizeof flags, "init", sizeof "init", &pair[1], 1);
  CHECK_NUMBER(hear(brain, got).head.result, 0);
  close(pair[1]);
  NEED(write(pair[0], "in and\n", 7) == 7);
  CHECK_NUMBER(watch_as(brain, "init", pid, BODY_LOG_RAW), 0);
  CHECK_NUMBER(hear(brain, got).head.operation, BODY_ENDED);
  char text[64] = "";
  CHECK_NUMBER(read(pair[0], text, sizeof text - 1), 11);
  CHECK_TEXT(text, "in and out\n");
  close(pair[0]);
  work();
  CHECK_NUMBER(count_descriptors(), before);
  close(brain);
  work();
  unlink(in_folder("log"));
}

static void what_is_not_watched_goes_with_its_brain(void) {
  int brain = connect_brain(), other = connect_brain();
  size_t before = count_descriptors();
  spawn_line(brain, "init", "exec sleep 0.05", BODY_STDIO_INPUT);
  spawn_line(other, "exec", "exec sleep 0.05", BODY_STDIO_TERMINAL);
  int flags = attach_to(brain, "exec", BODY_ATTACH_STDIN);
  close(brain);
  for (uint64_t end = now_ns() + PATIENCE_NS; process_find("init");) {
    work();
    NEED(now_ns() < end);
  }
  CHECK_NUMBER(ask(other, BODY_REOPEN_LOG, "exec"), 0);
  close(flags);
  close(other);
  work();
  CHECK_NUMBER(count_descriptors(), before - 4);
}

static void descriptors_wait_for_their_spawn(void) {
  int brain = connect_brain(), got[2], fds[] = {0, 1, 2};
  const int32_t places[] = {5, 5, BODY_PLACE_PRESERVED + 1};
  size_t before = count_descriptors();
  for (int i = 0; i < 3; i++) {
    say(brain, BODY_FDS, places, sizeof places, NULL, 0, fds, 3);
    CHECK_NUMBER(hear(brain, got).head.result, 0);
    CHECK_NUMBER(count_descriptors(), before + 2);
  }
  CHECK_NUMBER(ask(brain, BODY_SPAWN, "init"), -EINVAL);
  CHECK_NUMBER(count_descriptors(), before + 2);
  close(brain);
  work();
  CHECK_NUMBER(count_descriptors(), before - 2);
}

static void input_waits_and_arrives(void) {
  static char packet[BODY_INPUT_MAX];
  int brain = connect_brain(), got[2];
  memset(packet, 'x', sizeof packet);
  subscribe(brain);
  pid_t pid = spawn_line(brain, "init", "sleep 0.05; wc -c", BODY_STDIO_INPUT);
  int client = attach_to(brain, "init", BODY_ATTACH_STDIN);
  CHECK_NUMBER(watch_as(brain, "init", pid, BODY_LOG_RAW), 0);
  for (int i = 0; i < 5; i++)
    NEED(send(client, packet, sizeof packet, 0) == sizeof packet);
  close(client);
  CHECK_NUMBER(ask(brain, BODY_CLOSE_STDIN, "init"), 0);
  CHECK_NUMBER(hear(brain, got).head.operation, BODY_ENDED);
  CHECK_NUMBER(atoi(contents(in_folder("log"), NULL)), 5 * BODY_INPUT_MAX);
  close(brain);
  work();
  unlink(in_folder("log"));
}

static void a_client_that_does_not_read_loses_output(void) {
  static char packet[BODY_INPUT_MAX + 1];
  int brain = connect_brain(), got[2];
  subscribe(brain);
  uint64_t skipped = the_monitor.skipped, seen = 0;
  const char *line = "head -c 1000000 /dev/zero; read x; echo last";
  pid_t pid = spawn_line(brain, "init", line, BODY_STDIO_INPUT);
  int client = attach_to(brain, "init", BODY_ATTACH_STDIN);
  CHECK_NUMBER(watch_as(brain, "init", pid, BODY_LOG_RAW), 0);
  work_for_log(1000000);
  skipped = the_monitor.skipped - skipped;
  while (seen < 1000000 - skipped) {
    ssize_t length = recv(client, packet, sizeof packet, 0);
    NEED(length > 1 && packet[0] == BODY_STREAM_STDOUT);
    seen += (uint64_t)length - 1;
  }
  work_until(client); /* before anything else is said */
  CHECK_NUMBER(recv(client, packet, sizeof packet, 0), 9);
  CHECK(packet[0] == BODY_STREAM_LOST && memcmp(packet + 1, &skipped, sizeof skipped) == 0);
  NEED(send(client, "\n", 1, 0) == 1);
  CHECK_NUMBER(hear(brain, got).head.operation, BODY_ENDED);
  CHECK_NUMBER(recv(client, packet, sizeof packet, 0), 6);
  CHECK_NUMBER(recv(client, packet, sizeof packet, 0), 0);
  close(client);
  close(brain);
  work();
  unlink(in_folder("log"));
}

static void a_terminal_is_read_and_replayed(void) {
  static char packet[BODY_INPUT_MAX + 1];
  int brain = connect_brain(), got[2];
  subscribe(brain);
  pid_t pid = spawn_line(brain, "init", "seq 5000; read x; exit $x", BODY_STDIO_TERMINAL);
  CHECK_NUMBER(watch_as(brain, "init", pid, BODY_LOG_RAW), 0);
  work_for_log(4 * 5000 + 8893); /* 23,893 characters, and a carriage return a line */
  int client = attach_to(brain, "init", BODY_ATTACH_STDIN | BODY_ATTACH_REPLAY);
  size_t seen = 0;
  char last = 0;
  while (is_readable(client)) {
    ssize_t length = recv(client, packet, sizeof packet, 0);
    NEED(length > 1);
    seen += (size_t)length - 1;
    last = packet[length - 1];
  }
  CHECK_NUMBER(seen, BODY_REPLAY_MAX);
  CHECK_NUMBER(last, '\n');
  NEED(send(client, "7\n", 2, 0) == 2);
  CHECK_NUMBER(hear(brain, got).fields.ended.ending.code, 7);
  close(client);
  close(brain);
  work();
  unlink(in_folder("log"));
}

/* A request that may make sense, with descriptors that may. */
static void say_something(int brain, const int *fds, uint64_t *state) {
  static const char *const names[] = {"init", "a", "b", ""};
  uint8_t bytes[256];
  uint32_t words[8], operation = corpus_random(state) % 18;
  size_t sizes[] = {0, 4, 8, 16, 24}, length = sizeof(struct body_header), chosen = 0;
  int given[8];
  for (int i = 0; i < 8; i++)
    words[i] = corpus_random(state) % 16 ? corpus_random(state) % 3 : corpus_random(state);
  if (operation == BODY_SPAWN && corpus_random(state) % 4)
    memcpy(words, &(struct body_spawn){.stdio = corpus_random(state) % 3, .console = -1}, 24);
  if (operation == BODY_WATCH && corpus_random(state) % 4)
    words[0] = corpus_random(state) % 100 ? (uint32_t)fds[7] : 1;
  size_t size =
      operation == BODY_SPAWN || operation == BODY_WATCH ? 24 : sizes[corpus_random(state) % 5];
  memcpy(bytes, &operation, sizeof operation);
  memcpy(bytes + 4, words, 4);
  memcpy(bytes + length, words, size);
  length += size;
  for (uint32_t texts = corpus_random(state) % 4; texts > 0; texts--) {
    const char *name = names[corpus_random(state) % 4];
    memcpy(bytes + length, name, strlen(name) + 1);
    length += strlen(name) + 1;
  }
  for (; chosen < corpus_random(state) % 6; chosen++)
    given[chosen] = fds[corpus_random(state) % 5];
  say_bytes(brain, bytes, length, given, chosen);
}

static void no_request_harms_it(void) {
  uint64_t state = 4711;
  signal(SIGPIPE, SIG_IGN);
  size_t before = count_descriptors();
  const char command[] = "\1\0\0\0\0\0\0\0/\0/bin/true\0true";
  int run = sealed_memfd("test", 0, command, sizeof command), line = sealed("echo word");
  int fds[8] = {run, line, line, directory, 0};
  for (int round = 0; round < 40; round++) {
    int brain = connect_brain(), got[2];
    for (int i = 0; i < 100; i++) {
      say_something(brain, fds, &state);
      struct heard heard;
      do {
        heard = hear(brain, got);
        if (heard.head.operation == BODY_SPAWN && heard.head.result == 0)
          fds[7] = heard.fields.spawned.pid;
        for (int n = 0; n < 2; n++)
          if (got[n] >= 0)
            close(got[n]);
      } while (heard.head.operation == BODY_ENDED && heard.head.result == 0);
    }
    close(brain);
  }
  close(run);
  close(line);
  for (uint64_t end = now_ns() + PATIENCE_NS; (has_children() || processes_exist());) {
    work();
    NEED(now_ns() < end);
  }
  work();
  int32_t none = -1;
  hold(NULL, 0);
  CHECK_NUMBER(command_set(&none), 0);
  CHECK_NUMBER(count_descriptors(), before);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(a_process_is_watched_to_its_end),
      TEST(a_terminal_can_be_attached_as_it_is),
      TEST(what_is_not_watched_goes_with_its_brain),
      TEST(descriptors_wait_for_their_spawn),
      TEST(input_waits_and_arrives),
      TEST(a_client_that_does_not_read_loses_output),
      TEST(a_terminal_is_read_and_replayed),
      TEST(no_request_harms_it),
  };
  NEED(mkdtemp(folder) && reap_start() == 0);
  directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  NEED(directory >= 0);
  the_monitor.files[0] = the_monitor.files[1] = 1024;
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  remove_folder();
  return status;
}

/*
 * Streams of processes that lead elsewhere than to a log, with a monitor in this process.
 * links: c/monitor/loop.c c/monitor/reap.c c/monitor/connection.c c/monitor/packet.c c/monitor/operations.c c/monitor/held.c c/monitor/process.c c/monitor/record.c c/monitor/ended.c c/monitor/streams.c c/monitor/terminal.c c/monitor/input.c c/monitor/control.c c/monitor/attach.c c/monitor/command.c c/monitor/memory.c c/monitor/forward.c c/monitor/peer.c c/monitor/frame.c c/monitor/link.c c/monitor/fifo.c c/common/exit_info.c c/common/zombie_info.c c/monitor/log.c c/monitor/file.c c/monitor/queue.c c/monitor/format.c c/monitor/text.c c/common/memfd.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include "../support/c/pod.h"

static void work_until_drained(int brain, const char *name) {
  for (uint64_t end = now_ns() + PATIENCE_NS; ask(brain, BODY_DRAIN, 0, name, NULL, 0) != 0;)
    NEED(now_ns() < end);
}

static void output_goes_where_it_is_led(void) {
  int brain = connect_brain(), out[2], to[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
  size_t before = count_descriptors();
  make_pipe(out);
  make_pipe(to);
  const int streams[3] = {null, out[1], null};
  pid_t pid =
      spawn_line(brain, "c", "head -c 300000 /dev/zero; echo end", BODY_STDIO_GIVEN, streams);
  const int fds[2] = {out[0], to[1]};
  CHECK_NUMBER(
      ask(brain, BODY_FORWARD, BODY_FORWARD_OUT_SOURCE | BODY_FORWARD_OUT_TARGET, "c", fds, 2), 0);
  for (int i = 0; i < 2; i++)
    close(out[i]);
  close(to[1]);
  watch(brain, "c", pid);
  char bytes[4096];
  size_t total = 0;
  for (;;) { /* its program waits for a reader, as its pipes are full before */
    work_until(to[0]);
    long length = read(to[0], bytes, sizeof bytes);
    if (length == 0)
      break;
    NEED(length > 0);
    total += (size_t)length;
  }
  CHECK_NUMBER((long)total, 300004);
  close(to[0]);
  work_until_drained(brain, "c");
  CHECK_NUMBER(count_descriptors(), before);
  close(null);
  close(brain);
  work();
}

/* What is appended to a file cannot be spliced. */
static void output_goes_to_a_file(void) {
  int brain = connect_brain(), out[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int file = open(in_folder("file"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  make_pipe(out);
  const int streams[3] = {null, null, out[1]}, fds[2] = {out[0], file};
  pid_t pid = spawn_line(brain, "c", "echo words >&2", BODY_STDIO_GIVEN, streams);
  uint32_t flags = BODY_FORWARD_ERR_SOURCE | BODY_FORWARD_ERR_TARGET;
  CHECK_NUMBER(ask(brain, BODY_FORWARD, flags, "c", fds, 2), 0);
  close(out[0]);
  close(out[1]);
  close(file);
  watch(brain, "c", pid);
  while (process_find("c"))
    work();
  work_until_drained(brain, "c");
  CHECK_TEXT(contents(in_folder("file"), NULL), "words\n");
  unlink(in_folder("file"));
  close(null);
  close(brain);
  work();
}

static void a_terminal_reads_a_pipe(void) {
  int brain = connect_brain(), in[2], to[2];
  make_pipe(in);
  make_pipe(to);
  pid_t pid =
      spawn_line(brain, "c", "read word; echo \"<$word>\"; sleep 9", BODY_STDIO_TERMINAL, NULL);
  const int fds[3] = {in[0], in[1], to[1]};
  uint32_t flags = BODY_FORWARD_STDIN | BODY_FORWARD_KEEP | BODY_FORWARD_OUT_TARGET;
  CHECK_NUMBER(ask(brain, BODY_FORWARD, flags, "c", fds, 3), 0);
  close(to[1]);
  watch(brain, "c", pid);
  NEED(write(in[1], "word\n", 5) == 5);
  char bytes[64] = "";
  for (size_t length = 0; !strstr(bytes, "<word>\r\n");) {
    work_until(to[0]);
    long more = read(to[0], bytes + length, sizeof bytes - 1 - length);
    NEED(more > 0);
    length += (size_t)more;
  }
  CHECK_NUMBER(ask(brain, BODY_CLOSE_STDIN, 0, "c", NULL, 0), 0);
  close(in[0]);
  close(in[1]);
  close(to[0]);
  NEED(kill(pid, SIGKILL) == 0);
  while (process_find("c"))
    work();
  close(brain);
  work();
}

static void wrong_flags_are_refused(void) {
  int brain = connect_brain(), in[2], out[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
  make_pipe(in);
  make_pipe(out);
  const int streams[3] = {in[0], null, out[1]};
  pid_t pid = spawn_line(brain, "c", "read x", BODY_STDIO_GIVEN, streams);
  close(in[0]);
  close(out[1]);
  CHECK_NUMBER(ask(brain, BODY_FORWARD, BODY_FORWARD_OUT_SOURCE, "c", out, 1), -EINVAL);
  CHECK_NUMBER(ask(brain, BODY_FORWARD, BODY_FORWARD_STDIN, "c", out, 1), -EINVAL);
  CHECK_NUMBER(ask(brain, BODY_FORWARD, 1 << BODY_FORWARD_MAX, "c", out, 1), -EINVAL);
  CHECK_NUMBER(ask(brain, BODY_FORWARD, BODY_FORWARD_KEEP, "d", out, 1), -ENOENT);
  CHECK_NUMBER(ask(brain, BODY_DRAIN, 0, "c", NULL, 0), -EBUSY);
  watch(brain, "c", pid);
  CHECK_NUMBER(ask(brain, BODY_FORWARD, BODY_FORWARD_KEEP, "c", out, 1), -EBUSY);
  close(in[1]);
  while (process_find("c"))
    work();
  CHECK_NUMBER(ask(brain, BODY_DRAIN, 0, "c", NULL, 0), 0);
  close(out[0]);
  close(null);
  close(brain);
  work();
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(output_goes_where_it_is_led),
      TEST(output_goes_to_a_file),
      TEST(a_terminal_reads_a_pipe),
      TEST(wrong_flags_are_refused),
  };
  make_pod();
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  remove_folder();
  return status;
}

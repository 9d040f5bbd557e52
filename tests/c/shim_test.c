/*
 * A monitor in shim mode, in this process: containerd's requests, and brains that come and go.
 * links: c/monitor/loop.c c/monitor/reap.c c/monitor/connection.c c/monitor/packet.c c/monitor/operations.c c/monitor/held.c c/monitor/process.c c/monitor/record.c c/monitor/ended.c c/monitor/streams.c c/monitor/terminal.c c/monitor/input.c c/monitor/control.c c/monitor/attach.c c/monitor/command.c c/monitor/memory.c c/monitor/forward.c c/monitor/peer.c c/monitor/frame.c c/monitor/link.c c/monitor/fifo.c c/common/exit_info.c c/common/zombie_info.c c/monitor/log.c c/monitor/file.c c/monitor/queue.c c/monitor/format.c c/monitor/text.c c/common/memfd.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include <sys/un.h>

#include "../../c/common/exit_info.h"
#include "../support/c/pod.h"
#include "../support/c/ttrpc.h"

#define GIVEN_UP "runts ended twice while it did this"

static int greetings = -1; /* the socket of the brain that this test is */
static int the_brain = -1; /* once the monitor is in shim mode, the connection to it */

static struct sockaddr_un address_of(const char *name) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  snprintf(to.sun_path, sizeof to.sun_path, "%s", in_folder(name));
  return to;
}

/* The other end of the connection of the monitor, which has greeted. */
static int be_greeted(void) {
  char bytes[256];
  union test_rights control;
  struct iovec data = {bytes, sizeof bytes};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  int fd = -1;
  for (uint64_t end = now_ns() + PATIENCE_NS; !is_readable(greetings); link_due()) {
    loop_turn(now_ns() + TURN_NS);
    NEED(now_ns() < end);
  }
  long length = recvmsg(greetings, &message, MSG_CMSG_CLOEXEC);
  NEED(length == 8 + 4 && CMSG_FIRSTHDR(&message));
  CHECK_TEXT(bytes + 8, "pod");
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

/* The brain that this test is; the monitor serves containerd from then on. */
static int be_brain(void) {
  if (the_brain >= 0)
    return the_brain;
  static const uint8_t command[] = "\1\0\0\0\0\0\0\0/\0/bin/false\0false";
  struct sockaddr_un socket_of_brain = address_of("shim.sock"), served = address_of("served");
  int brain = connect_brain(), got[2], length;
  char texts[600];
  const uint32_t none = 0;
  greetings = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  NEED(bind(greetings, (struct sockaddr *)&socket_of_brain, sizeof socket_of_brain) == 0);
  int fds[2] = {socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), sealed(command, sizeof command)};
  NEED(bind(fds[0], (struct sockaddr *)&served, sizeof served) == 0 && listen(fds[0], 8) == 0);
  length = snprintf(texts, sizeof texts, "pod%c%s%c%s", 0, in_folder("."), 0, "");
  length += snprintf(texts + length, sizeof texts - (size_t)length, "%s", in_folder("served"));
  say(brain, BODY_SHIM, &none, sizeof none, texts, (size_t)length + 1, fds, 2);
  CHECK_NUMBER(hear(brain, got).head.result, 0);
  close(fds[0]);
  close(fds[1]);
  close(brain);
  return the_brain = be_greeted();
}

static int connect_containerd(void) {
  struct sockaddr_un served = address_of("served");
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  NEED(connect(fd, (struct sockaddr *)&served, sizeof served) == 0);
  return fd;
}

static struct heard hear_frame(int brain, int got[2]) {
  struct heard heard;
  do
    heard = hear(brain, got);
  while (heard.head.operation != BODY_FRAME);
  return heard;
}

static void say_answer(int brain, struct body_frame frame, const char *text) {
  const struct body_answer answer = {frame.connection, frame.stream};
  say(brain, BODY_ANSWER, &answer, sizeof answer, text, strlen(text), NULL, 0);
}

static void requests_are_handed_over_and_answered(void) {
  static char large[20000];
  int brain = be_brain();
  int fd = connect_containerd(), got[2];
  size_t length;
  put_frame(fd, 1, 1, "one", 3);
  put_frame(fd, 3, 1, "three", 5);
  struct heard one = hear_frame(brain, got), three = hear_frame(brain, got);
  CHECK_NUMBER(one.fields.frame.stream, 1);
  CHECK_NUMBER(one.fields.frame.attempt, 1);
  CHECK_NUMBER(one.fields.frame.length, 3);
  CHECK(memcmp(one.fields.bytes + sizeof one.fields.frame, "one", 3) == 0);
  say_answer(brain, three.fields.frame, "THREE");
  CHECK_TEXT(take_answer(fd, 3, &length), "THREE");
  say_answer(brain, one.fields.frame, "ONE");
  CHECK_TEXT(take_answer(fd, 1, &length), "ONE");
  memset(large, 'l', sizeof large);
  put_frame(fd, 5, 1, large, sizeof large);
  struct heard five = hear_frame(brain, got);
  CHECK_NUMBER(five.fields.frame.length, sizeof large);
  NEED(got[0] >= 0);
  const struct body_answer answer = {five.fields.frame.connection, 5};
  say(brain, BODY_ANSWER, &answer, sizeof answer, NULL, 0, got, 1);
  CHECK(memcmp(take_answer(fd, 5, &length), large, sizeof large) == 0);
  CHECK_NUMBER((long)length, sizeof large);
  close(got[0]);
  close(fd);
  work();
}

static void what_is_no_request_is_refused(void) {
  static char much[(4 << 20) + 1];
  be_brain();
  int fd = connect_containerd();
  size_t length;
  put_frame(fd, 2, 1, "x", 1);
  CHECK(strstr(take_answer(fd, 2, &length) + 6, "even, or was used"));
  put_frame(fd, 7, 3, "data", 4);
  CHECK(strstr(take_answer(fd, 7, &length) + 6, "streams are not supported"));
  put_frame(fd, 9, 1, much, sizeof much);
  CHECK(strstr(take_answer(fd, 9, &length) + 6, "too long"));
  close(fd);
  work();
}

/* A child of ours that has ended, in the place of the brain's process: a pidfd. */
static int ended_so(int signal) {
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    raise(signal);
    _exit(1);
  }
  int pidfd = (int)syscall(NR_PIDFD_OPEN, pid, 0);
  NEED(pidfd >= 0);
  work_until(pidfd);
  work(); /* which reaps it */
  return pidfd;
}

/* The brain does its work, until it ends so. */
static int end_brain(int brain, int signal) {
  int pidfd = ended_so(signal);
  say(brain, BODY_BRAIN, NULL, 0, NULL, 0, &pidfd, 1);
  close(pidfd);
  work();
  close(brain);
  return be_greeted();
}

static void begin(int brain, uint32_t connection, uint32_t stream) {
  const struct body_answer frame = {connection, stream};
  say(brain, BODY_BEGIN, &frame, sizeof frame, NULL, 0, NULL, 0);
}

/* What two brains have died of is given up; not what has waited for its turn meanwhile. */
static void another_brain_is_asked_once(void) {
  int brain = be_brain();
  int fd = connect_containerd(), got[2];
  size_t length;
  put_frame(fd, 1, 1, "deadly", 6);
  put_frame(fd, 3, 1, "fine", 4);
  hear_frame(brain, got);
  uint32_t connection = hear_frame(brain, got).fields.frame.connection;
  brain = end_brain(brain, SIGABRT);
  CHECK_NUMBER(hear_frame(brain, got).fields.frame.attempt, 2);
  CHECK_NUMBER(hear_frame(brain, got).fields.frame.attempt, 2);
  begin(brain, connection, 1);
  brain = end_brain(brain, SIGABRT);
  CHECK(strstr(take_answer(fd, 1, &length) + 6, GIVEN_UP));
  struct heard fine = hear_frame(brain, got);
  CHECK_NUMBER(fine.fields.frame.stream, 3);
  CHECK_NUMBER(fine.fields.frame.attempt, 3);
  say_answer(brain, fine.fields.frame, "FINE");
  CHECK_TEXT(take_answer(fd, 3, &length), "FINE");
  close(fd);
  work();
  the_brain = brain;
}

/* As far as the kernel tells of that. */
static void a_killed_brain_need_not_have_died_of_it(void) {
  int brain = be_brain(), status = 0;
  int fd = connect_containerd(), got[2], pidfd = ended_so(SIGKILL);
  bool told = exit_info(pidfd, &status) == 1;
  size_t length;
  close(pidfd);
  put_frame(fd, 1, 1, "slow", 4);
  struct heard slow = hear_frame(brain, got);
  for (int i = 0; i < 4; i++) {
    brain = end_brain(brain, SIGKILL);
    if (!told && i == 1)
      break;
    slow = hear_frame(brain, got);
    begin(brain, slow.fields.frame.connection, 1);
  }
  say_answer(brain, slow.fields.frame, "SLOW");
  const char *answer = take_answer(fd, 1, &length);
  CHECK_TEXT(told ? answer : strstr(answer + 6, GIVEN_UP), told ? "SLOW" : GIVEN_UP);
  close(fd);
  work();
  the_brain = brain;
}

/* Three brains end at work on a request, and it is told to the fourth. */
static void end_without_counting(bool leaves) {
  int brain = be_brain();
  int fd = connect_containerd(), got[2];
  size_t length;
  put_frame(fd, 1, 1, "x", 1);
  struct heard x = hear_frame(brain, got);
  for (int i = 0; i < 3; i++) {
    int pidfd = ended_so(SIGABRT);
    for (int told = 0; leaves && told < 2; told++)
      say(brain, BODY_BRAIN, NULL, 0, NULL, 0, &pidfd, 1 - told);
    work();
    close(pidfd);
    close(brain);
    brain = be_greeted();
    x = hear_frame(brain, got);
    CHECK_NUMBER(x.fields.frame.attempt, i + 2);
    begin(brain, x.fields.frame.connection, 1);
  }
  say_answer(brain, x.fields.frame, "X");
  CHECK_TEXT(take_answer(fd, 1, &length), "X");
  close(fd);
  work();
  the_brain = brain;
}

/* A brain that has not begun to work is no matter. */
static void a_brain_that_never_worked_is_not_counted(void) {
  end_without_counting(false);
}

/* It has said that it leaves: what it was at work on has nothing to do with its end. */
static void a_brain_that_leaves_has_not_died(void) {
  end_without_counting(true);
}

static int hold_fifo(int brain, uint32_t flags, const char *path, int *fd) {
  char texts[600];
  int got[2], length = snprintf(texts, sizeof texts, "f%c%s", 0, path);
  say(brain, BODY_FIFO, &flags, sizeof flags, texts, (size_t)length + 1, NULL, 0);
  int result = hear(brain, got).head.result;
  *fd = got[0];
  return result;
}

/* Whether nobody has a fifo open for writing any more. */
static bool is_hung_up(int reader) {
  struct pollfd polled = {.fd = reader, .events = POLLIN};
  return poll(&polled, 1, 0) == 1 && polled.revents & POLLHUP;
}

/* The client would take its end for the end of the process. */
static void a_fifo_outlives_the_brain(void) {
  int brain = be_brain(), fd;
  char path[256];
  snprintf(path, sizeof path, "%s", in_folder("fifo"));
  NEED(mkfifo(path, 0600) == 0);
  CHECK_NUMBER(hold_fifo(brain, BODY_FIFO_READ, path, &fd), -ENXIO);
  int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  CHECK_NUMBER(hold_fifo(brain, BODY_FIFO_READ, path, &fd), 0);
  close(fd);
  brain = end_brain(brain, SIGKILL);
  CHECK(!is_hung_up(reader));
  CHECK_NUMBER(hold_fifo(brain, BODY_FIFO_READ, path, &fd), 0);
  close(fd);
  CHECK_NUMBER(hold_fifo(brain, 0, "", &fd), 0);
  CHECK(is_hung_up(reader));
  CHECK_NUMBER(hold_fifo(brain, 0, path, &fd), 0);
  close(fd);
  CHECK(!is_hung_up(reader));
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const int streams[3] = {null, null, null};
  watch(brain, "f", spawn_line(brain, "f", "exit 0", BODY_STDIO_GIVEN, streams));
  for (uint64_t end = now_ns() + PATIENCE_NS; !is_hung_up(reader);) { /* its program ends */
    loop_turn(now_ns() + TURN_NS);
    NEED(now_ns() < end);
  }
  CHECK_NUMBER(hold_fifo(brain, 8, path, &fd), -EINVAL);
  close(null);
  close(reader);
  work();
  the_brain = brain;
}

static void a_request_waits_for_an_end(void) {
  int brain = be_brain();
  int fd = connect_containerd(), got[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), hold[2];
  size_t length;
  make_pipe(hold);
  const int streams[3] = {hold[0], null, null};
  pid_t pid = spawn_line(brain, "c", "read x; exit 4", BODY_STDIO_GIVEN, streams);
  watch(brain, "c", pid);
  put_frame(fd, 1, 1, "wait", 4);
  struct body_answer answer = {hear_frame(brain, got).fields.frame.connection, 1};
  say(brain, BODY_PARK, &answer, sizeof answer, "c", 2, NULL, 0);
  close(brain);
  brain = be_greeted();
  work();
  CHECK(!is_readable(brain)); /* it is nobody's matter yet */
  close(hold[0]);
  close(hold[1]);
  struct heard again = hear_frame(brain, got);
  CHECK_NUMBER(again.fields.frame.stream, 1);
  CHECK_NUMBER(again.fields.frame.attempt, 1);
  CHECK(!process_find("c"));
  say(brain, BODY_PARK, &answer, sizeof answer, "c", 2, NULL, 0); /* it has ended */
  again = hear_frame(brain, got);
  say_answer(brain, again.fields.frame, "ENDED");
  CHECK_TEXT(take_answer(fd, 1, &length), "ENDED");
  close(null);
  close(fd);
  work();
  the_brain = brain;
}

/* Whoever comes later can tell that from how a program ends. */
static void an_end_before_the_program_is_recorded(void) {
  int brain = be_brain(), hold[2];
  char text[300] = "";
  struct process *p;
  make_pipe(hold);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    close(hold[1]);
    _exit(read(hold[0], text, 1) == 0 ? 1 : 2);
  }
  NEED(process_make("u", NULL, &p) == 0);
  watch(brain, "u", pid);
  close(hold[0]);
  close(hold[1]);
  for (uint64_t end = now_ns() + PATIENCE_NS; process_find("u");) {
    loop_turn(now_ns() + TURN_NS);
    NEED(now_ns() < end);
  }
  int fd = open(in_folder("exit.json"), O_RDONLY | O_CLOEXEC);
  NEED(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
  CHECK(strstr(text, "\"code\":1,"));
  CHECK(strstr(text, "\"oom\":false,\"executed\":false,\"at\":"));
  close(fd);
}

static void fill(struct sockaddr_un *to, int fd) {
  socklen_t size = sizeof *to;
  NEED(getsockname(fd, (struct sockaddr *)to, &size) == 0);
}

/* A brain is started by whoever gets the lock, with a socket that greetings wait in until it is there. */
static void a_brain_is_started_where_there_is_none(void) {
  struct sockaddr_un bound;
  close(be_brain());
  int fd = connect_containerd();
  fill(&bound, greetings);
  close(greetings);
  unlink(in_folder("shim.sock"));
  put_frame(fd, 1, 1, "x", 1);
  /* The command has ended at once, and its socket with it: it is started again. */
  for (int i = 0; i < 2; i++) {
    for (uint64_t end = now_ns() + PATIENCE_NS; access(in_folder("shim.sock"), F_OK) != 0;) {
      loop_turn(now_ns() + TURN_NS);
      link_due();
      NEED(now_ns() < end);
    }
    unlink(in_folder("shim.sock"));
  }
  CHECK(access(in_folder("shim.lock"), F_OK) == 0);
  greetings = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  NEED(bind(greetings, (struct sockaddr *)&bound, sizeof bound) == 0);
  the_brain = be_greeted();
  close(fd);
  work();
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(requests_are_handed_over_and_answered),
      TEST(what_is_no_request_is_refused),
      TEST(another_brain_is_asked_once),
      TEST(a_killed_brain_need_not_have_died_of_it),
      TEST(a_brain_that_never_worked_is_not_counted),
      TEST(a_brain_that_leaves_has_not_died),
      TEST(a_fifo_outlives_the_brain),
      TEST(a_request_waits_for_an_end),
      TEST(an_end_before_the_program_is_recorded),
      TEST(a_brain_is_started_where_there_is_none),
  };
  make_pod();
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  remove_folder();
  return status;
}

/*
 * What of the helper library handles buffers: records, messages with descriptors, the relay, hooks.
 * links: c/helper/clock.c c/helper/files.c c/helper/stream.c c/helper/sync.c c/helper/message.c c/helper/sockets.c c/helper/relay.c c/common/relay.c c/helper/terminal.c c/helper/hook.c c/common/hook.c c/common/close.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include "../../c/helper/helper.h"
#include "../../c/helper/monitor.h"
#include "../../c/helper/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../support/c/test.h"

static uint8_t bytes[1 << 17];

static void packets(int pair[2]) {
  NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
}

static void refuses_records_that_are_too_short_or_too_long(void) {
  int pair[2];
  packets(pair);
  CHECK_NUMBER(send(pair[0], bytes, sizeof(struct sync_header) - 1, 0), 23);
  CHECK_NUMBER(rts_receive(pair[1], bytes, 100, 0), -EBADMSG);
  CHECK_NUMBER(rts_send(pair[0], bytes, 200), 0);
  CHECK_NUMBER(rts_receive(pair[1], bytes, 100, 0), -EMSGSIZE);
  CHECK_NUMBER(rts_send(pair[0], bytes, SYNC_RECORD_MAX), 0);
  CHECK_NUMBER(rts_receive(pair[1], bytes, SYNC_RECORD_MAX, 0), SYNC_RECORD_MAX);
  CHECK_NUMBER(rts_receive(pair[1], bytes, SYNC_RECORD_MAX, 10), -ETIMEDOUT);
  close(pair[0]);
  CHECK_NUMBER(rts_receive(pair[1], bytes, SYNC_RECORD_MAX, -1), 0);
  close(pair[1]);
}

/* Whoever runs in the container must not be able to fill our table of descriptors. */
static void drops_descriptors_that_come_with_a_record(void) {
  int pair[2];
  packets(pair);
  int32_t fds[RTS_MESSAGE_FDS];
  for (int i = 0; i < RTS_MESSAGE_FDS; i++)
    fds[i] = pair[0];
  int next = dup(pair[0]);
  close(next);
  CHECK_NUMBER(rts_send_message(pair[0], bytes, 24, fds, RTS_MESSAGE_FDS), 24);
  CHECK_NUMBER(rts_receive(pair[1], bytes, sizeof bytes, 0), 24);
  int after = dup(pair[0]);
  CHECK_NUMBER(after, next);
  close(after);
  close(pair[0]);
  close(pair[1]);
}

static void counts_the_descriptors_of_a_message(void) {
  int pair[2];
  packets(pair);
  for (uint32_t count = 0; count <= RTS_MESSAGE_FDS; count++) {
    int32_t fds[RTS_MESSAGE_FDS], got[1 + RTS_MESSAGE_FDS];
    for (uint32_t i = 0; i < count; i++)
      fds[i] = pair[0];
    CHECK_NUMBER(rts_send_message(pair[0], bytes, 5, fds, count), 5);
    CHECK_NUMBER(rts_receive_message(pair[1], bytes, 5, got, 0), 5);
    CHECK_NUMBER(got[0], (int32_t)count);
    for (int i = 0; i < got[0]; i++) {
      CHECK_NUMBER(rts_fd_flags(got[1 + i]), FD_CLOEXEC);
      close(got[1 + i]);
    }
  }
  close(pair[0]);
  close(pair[1]);
}

static void hears_what_a_peer_said_that_ended_without_reading(void) {
  int pair[2];
  int32_t fds[1 + BODY_FDS_MAX];
  packets(pair);
  CHECK_NUMBER(rts_send_packet(pair[0], bytes, 3, NULL, 0), 3);
  CHECK_NUMBER(rts_send_packet(pair[1], bytes, 7, NULL, 0), 7);
  close(pair[1]);
  CHECK_NUMBER(rts_receive_packet(pair[0], bytes, sizeof bytes, fds), 7);
  CHECK_NUMBER(rts_receive_packet(pair[0], bytes, sizeof bytes, fds), 0);
  close(pair[0]);
}

/* Told while it was ending, of what it has not read: EPIPE, and what it said last is not lost. */
static void finds_that_a_peer_has_gone_that_ended_without_reading(void) {
  int32_t fds[1 + RTS_MESSAGE_FDS];
  for (int packet = 0; packet <= 1; packet++) {
    int pair[2];
    packets(pair);
    CHECK_NUMBER(rts_send_packet(pair[0], bytes, 30, NULL, 0), 30);
    CHECK_NUMBER(rts_send_packet(pair[1], bytes, 40, NULL, 0), 40);
    close(pair[1]);
    CHECK_NUMBER(packet ? rts_send_packet(pair[0], bytes, 30, NULL, 0)
                        : rts_send(pair[0], bytes, 30),
                 -EPIPE);
    CHECK_NUMBER(rts_receive_packet(pair[0], bytes, sizeof bytes, fds), 40);
    CHECK_NUMBER(rts_receive_packet(pair[0], bytes, sizeof bytes, fds), 0);
    close(pair[0]);
  }
}

/* A child that writes `length` bytes to the other end of a terminal and leaves. */
static int open_terminal_with_writer(size_t length) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  NEED(master >= 0 && unlockpt(master) == 0);
  int other = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios mode;
  NEED(other >= 0 && tcgetattr(other, &mode) == 0);
  cfmakeraw(&mode);
  NEED(tcsetattr(other, TCSANOW, &mode) == 0);
  if (fork() == 0) {
    for (size_t i = 0; i < sizeof bytes; i++)
      bytes[i] = (uint8_t)(i % 251);
    for (size_t done = 0, part = 251 * 400; done < length; done += part) {
      if (part > length - done)
        part = length - done;
      if (rts_write(other, bytes, (uint32_t)part) < 0)
        _exit(1);
    }
    _exit(0);
  }
  close(other);
  return master;
}

/* A child that reads it all in odd pieces and says whether it is as it was written. */
static void check_reader(int from, size_t length) {
  size_t seen = 0;
  for (int got; (got = rts_read(from, bytes, 777)) > 0;)
    for (int i = 0; i < got; i++)
      if (bytes[i] != seen++ % 251)
        _exit(1);
  _exit(seen == length ? 0 : 2);
}

static void relays_every_byte(void) {
  enum { LENGTH = 5000011 };
  int32_t pipe_fds[2];
  NEED(rts_pipe(pipe_fds) == 0);
  int master = open_terminal_with_writer(LENGTH);
  pid_t reader = fork();
  if (reader == 0) {
    close(pipe_fds[1]);
    check_reader(pipe_fds[0], LENGTH);
  }
  close(pipe_fds[0]);
  fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK); /* a caller may have made it so */
  CHECK_NUMBER(rts_relay(master, -1, pipe_fds[1], -1, -1, -1), 0);
  close(pipe_fds[1]);
  close(master);
  int status = -1;
  CHECK_NUMBER(waitpid(reader, &status, 0), reader);
  CHECK_NUMBER(status, 0);
  CHECK(wait(&status) > 0);
  CHECK_NUMBER(status, 0);
}

static void relays_to_nobody(void) {
  int master = open_terminal_with_writer(300000);
  CHECK_NUMBER(rts_relay(master, -1, -1, -1, -1, -1), 0);
  close(master);
  int status = -1;
  CHECK(wait(&status) > 0);
  CHECK_NUMBER(status, 0);
}

/* A reader that goes away while much is waiting for it must not hold up the writer. */
static void relays_on_when_the_output_is_closed(void) {
  int master = open_terminal_with_writer(300000); /* it must not have the pipe */
  int32_t pipe_fds[2];
  NEED(rts_pipe(pipe_fds) == 0);
  if (fork() == 0) {
    close(pipe_fds[1]);
    usleep(50000); /* the pipe and the buffer are full by then */
    _exit(0);
  }
  close(pipe_fds[0]);
  CHECK_NUMBER(rts_relay(master, -1, pipe_fds[1], -1, -1, -1), 0);
  close(pipe_fds[1]);
  close(master);
  for (int i = 0, status = -1; i < 2; i++) {
    CHECK(wait(&status) > 0);
    CHECK_NUMBER(status, 0);
  }
}

/* What would have to wait says so; who has nobody at the other side is at the end. */
static void streams_without_waiting(void) {
  int32_t ends[2];
  NEED(rts_pipe(ends) == 0);
  CHECK_NUMBER(rts_stream_open(ends[0], 0), 0);
  CHECK_NUMBER(rts_stream_open(ends[1], 4096), 0);
  CHECK_NUMBER(rts_stream_read(ends[0], bytes, 10), -EAGAIN);
  CHECK_NUMBER(rts_stream_write(ends[1], bytes, 5000), 4096);
  CHECK_NUMBER(rts_stream_write(ends[1], bytes, 1), -EAGAIN);
  CHECK_NUMBER(rts_stream_read(ends[0], bytes, 5000), 4096);
  close(ends[1]);
  CHECK_NUMBER(rts_stream_read(ends[0], bytes, 10), 0);
  close(ends[0]);
  CHECK_NUMBER(rts_stream_open(ends[0], 0), -EBADF);
  int master = open_terminal_with_writer(5);
  int status = -1;
  CHECK(wait(&status) > 0);
  CHECK_NUMBER(status, 0);
  CHECK_NUMBER(rts_stream_open(master, 4096), 0); /* which is no pipe */
  CHECK_NUMBER(rts_stream_read(master, bytes, 10), 5);
  CHECK_NUMBER(rts_stream_read(master, bytes, 10), 0);
  close(master);
}

static void unpacks_the_words_of_a_hook(void) {
  static const char words[] = "/bin/sh\0/\0sh\0-c\0test \"$A$1\" = b$PWD\0sh\0/\0A=b\0C=d";
  static struct hook_result result;
  const struct rts_hook hook = {.args = 5, .env = 2};
  struct hook_process process;
  CHECK_NUMBER(rts_hook_begin(&hook, words, bytes, NULL, &process, &result), 0);
  struct pollfd ended = {.fd = process.pidfd, .events = POLLIN};
  CHECK_NUMBER(rts_poll(&ended, 1, 60000), 1);
  CHECK_NUMBER(rts_hook_pass_on(&process, &result), 0);
  CHECK_NUMBER(rts_hook_end(&process, &result), 0);
  CHECK_NUMBER(result.error, 0);
  CHECK_NUMBER(result.status, 0);
}

/* Whoever waits for it has other things to do, and ends it when its time is up. */
static void ends_a_hook_in_steps(void) {
  static const char words[] =
      "/bin/sh\0\0sh\0-c\0echo said >&2; exec sleep 1000\0PATH=/usr/bin:/bin";
  static struct hook_result result;
  const struct rts_hook hook = {.args = 3, .env = 1};
  struct hook_process process;
  CHECK_NUMBER(rts_hook_begin(&hook, words, bytes, NULL, &process, &result), 0);
  CHECK_NUMBER(process.timeout, 0);
  struct pollfd fds[] = {{.fd = process.pidfd, .events = POLLIN},
                         {.fd = process.output, .events = POLLIN}};
  CHECK_NUMBER(rts_poll(fds, 2, 60000), 1);
  CHECK_NUMBER(fds[0].revents, 0);
  CHECK_NUMBER(rts_hook_pass_on(&process, &result), 1);
  CHECK_NUMBER(rts_hook_pass_on(&process, &result), 0);
  CHECK_NUMBER(rts_hook_kill(&process, &result), 0);
  CHECK_NUMBER(rts_poll(fds, 1, 60000), 1);
  CHECK_NUMBER(rts_hook_end(&process, &result), 0);
  CHECK_NUMBER(result.error, 0);
  CHECK_NUMBER(result.signal, SIGKILL);
  CHECK_NUMBER(result.timed_out, 1);
  CHECK_NUMBER(result.stderr_length, 5);
  CHECK_NUMBER(fcntl(process.output, F_GETFD), -1);
}

static void holds_a_path_of_any_length_to_its_bounds(void) {
  char path[6000] = "/";
  for (size_t i = 1; i + 1 < sizeof path; i++) {
    path[i] = i % 100 ? 'p' : '/';
    path[i + 1] = '\0';
    int result = rts_connect_unix(path);
    CHECK(result == -ENOENT || result == -ENAMETOOLONG);
  }
  path[0] = '@';
  CHECK_NUMBER(rts_send_datagram(path, bytes, 1, NULL, 0, 0), -ENAMETOOLONG);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  static const struct test tests[] = {
      TEST(refuses_records_that_are_too_short_or_too_long),
      TEST(drops_descriptors_that_come_with_a_record),
      TEST(counts_the_descriptors_of_a_message),
      TEST(hears_what_a_peer_said_that_ended_without_reading),
      TEST(finds_that_a_peer_has_gone_that_ended_without_reading),
      TEST(relays_every_byte),
      TEST(relays_to_nobody),
      TEST(relays_on_when_the_output_is_closed),
      TEST(streams_without_waiting),
      TEST(unpacks_the_words_of_a_hook),
      TEST(ends_a_hook_in_steps),
      TEST(holds_a_path_of_any_length_to_its_bounds),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}

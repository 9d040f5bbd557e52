#define _GNU_SOURCE
#include "body.h"

#include <asm/termbits.h>
#include <asm/termios.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "action.h"
#include "children.h"
#include "files.h"
#include "foreground.h"
#include "say.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"
#include "wait.h"

#define RLIMIT_NOFILE_NUMBER 7
#define NR_PIDFD_GETFD 438
#define FAILED 1
#define BRAIN_ENDED (-2)

enum { WATCHED_SOCKET, WATCHED_ENDS, WATCHED };

/* Fields that may not be aligned; zero where the packet is too short. */
int32_t number_at(const struct request *r, uint32_t index) {
  int32_t value = 0;
  if ((index + 1) * sizeof value <= r->size)
    put_bytes((char *)&value, (const char *)r->fields + index * sizeof value, sizeof value);
  return value;
}

const char *text_at(const struct request *r, uint32_t numbers) {
  uint32_t start = numbers * sizeof(int32_t);
  return start < r->size && r->fields[r->size - 1] == 0 ? (const char *)r->fields + start : NULL;
}

static long place(struct body *body, const struct request *r) {
  for (uint32_t i = 0; i < SLOTS_MAX && !body->has_places; i++)
    body->places[i] = -1;
  body->has_places = 1;
  for (uint32_t i = 0; i < r->fd_count; i++) {
    int32_t place = number_at(r, i);
    if (place < 0 || place >= SLOTS_MAX || body->places[place] >= 0)
      return -EINVAL;
    body->places[place] = r->fds[i];
    r->fds[i] = -1;
  }
  return 0;
}

/* Who has not asked for an answer hears of it from the spawn. */
static long do_fds(struct body *body, const struct request *r, long error) {
  long result = error < 0 ? error : place(body, r);
  if (result < 0)
    body->places_error = result;
  return result;
}

/* The descriptor goes along. */
static long give(struct answer *a, long fd) {
  if (fd < 0)
    return fd;
  a->fds[a->fd_count++] = (int32_t)fd;
  return 0;
}

/* What a child has may be denied to anybody but its parent. */
static long do_fetch(int32_t pid, int32_t number, struct answer *a) {
  long pidfd = sys2(SYS_PIDFD_OPEN, pid, 0);
  if (pidfd < 0)
    return pidfd;
  long fd = sys3(NR_PIDFD_GETFD, pidfd, number, 0);
  sys1(SYS_CLOSE, pidfd);
  return give(a, fd);
}

static long do_print(const struct request *r) {
  const uint8_t *at = r->fields + sizeof(int32_t), *end = r->fields + r->size;
  int32_t fd = number_at(r, 0);
  while (at < end) {
    long n = sys3(SYS_WRITE, fd, (long)at, end - at);
    if (n >= 0) {
      at += n;
    } else if (n == -EAGAIN) {
      struct pollfd output = {.fd = fd, .events = POLLOUT};
      wait_for(&output, 1, FOR_EVER);
    } else if (n != -EINTR) {
      return n;
    }
  }
  return 0;
}

static long do_open(const struct request *r, struct answer *a) {
  const char *path = text_at(r, 2);
  if (!path)
    return -EINVAL;
  return give(a,
              sys4(SYS_OPENAT, AT_FDCWD, (long)path, number_at(r, 0) | O_CLOEXEC, number_at(r, 1)));
}

static long do_connect(const struct request *r, struct answer *a) {
  const char *path = text_at(r, 0);
  return path ? give(a, connect_stream(path)) : -EINVAL;
}

/* The one who is told may look at who tells: it is us. What is longer than a packet is in a file. */
static long do_datagram(const struct request *r) {
  const uint32_t in_file = number_at(r, 0) != 0;
  const char *path = (const char *)r->fields + sizeof in_file;
  uint32_t size = sizeof in_file;
  while (size < r->size && r->fields[size])
    size++;
  if (size >= r->size || in_file > r->fd_count)
    return -EINVAL;
  struct iovec piece = {(void *)(uintptr_t)(r->fields + size + 1), r->size - size - 1};
  long result = in_file ? map_file(r->fds[0], &piece) : 0;
  if (result < 0)
    return result;
  long fd = connect_datagrams(path);
  if (fd >= 0) {
    result = send_packet(fd, &piece, 1, r->fds + in_file, r->fd_count - in_file);
    sys1(SYS_CLOSE, fd);
  }
  if (in_file)
    sys2(SYS_munmap, (long)piece.iov_base, (long)piece.iov_len);
  return fd < 0 ? fd : result < 0 ? result : 0;
}

static long do_descriptor(int32_t fd, struct answer *a) {
  struct winsize size = {0};
  struct termios modes;
  long flags = sys3(SYS_FCNTL, fd, F_GETFD, 0);
  a->size = sizeof a->fields.descriptor;
  a->fields.descriptor = (struct body_descriptor){0};
  if (flags < 0)
    return 0;
  a->fields.descriptor.flags = BODY_DESCRIPTOR_OPEN;
  if (!(flags & FD_CLOEXEC))
    a->fields.descriptor.flags |= BODY_DESCRIPTOR_INHERITED;
  if (sys3(SYS_ioctl, fd, TCGETS, (long)&modes) < 0)
    return 0;
  sys3(SYS_ioctl, fd, TIOCGWINSZ, (long)&size);
  a->fields.descriptor.flags |= BODY_DESCRIPTOR_TERMINAL;
  a->fields.descriptor.rows = size.ws_row;
  a->fields.descriptor.columns = size.ws_col;
  return 0;
}

static long perform_request(struct body *body, uint32_t operation, const struct request *r,
                            struct answer *a) {
  switch (operation) {
  case BODY_FDS:
    return do_fds(body, r, 0);
  case BODY_SPAWN:
    return do_spawn(body, r, a);
  case BODY_ENDING:
    return do_ending(body, number_at(r, 0), a);
  case BODY_FETCH:
    return do_fetch(number_at(r, 0), number_at(r, 1), a);
  case BODY_PRINT:
    return do_print(r);
  case BODY_OPEN:
    return do_open(r, a);
  case BODY_CONNECT:
    return do_connect(r, a);
  case BODY_DATAGRAM:
    return do_datagram(r);
  case BODY_DESCRIPTOR:
    return do_descriptor(number_at(r, 0), a);
  case BODY_PROGRAM:
    return do_program(body, r, a);
  case BODY_MONITOR:
    return do_monitor(body, r);
  case BODY_KILL:
    return do_kill(number_at(r, 0));
  case BODY_HOLD:
    return hold_lock(body, 0, r->fds, r->fd_count);
  case BODY_FOREGROUND:
    return do_foreground(body, r);
  case BODY_AWAIT:
    return do_await(body, r);
  case BODY_ADOPT:
    return sys2(SYS_PRCTL, PR_SET_CHILD_SUBREAPER, 1);
  default:
    return -EOPNOTSUPP;
  }
}

void answer_now(struct body *body, uint32_t operation, uint32_t request, long result,
                const void *fields, size_t size) {
  const struct body_reply head = {operation, request, (int32_t)result, 0};
  struct iovec pieces[] = {{(void *)(uintptr_t)&head, sizeof head},
                           {(void *)(uintptr_t)fields, result < 0 ? 0 : size}};
  send_packet(body->socket, pieces, 2, NULL, 0);
}

static void answer(struct body *body, struct packet *packet, long error) {
  const struct body_header *header = (const struct body_header *)packet->bytes;
  struct answer a = {.head = {.operation = header->operation, .request = header->request}};
  struct request r = {
      .fields = packet->bytes + sizeof *header,
      .size = packet->length - (uint32_t)sizeof *header,
      .fds = packet->fds,
      .fd_count = packet->count,
      .number = header->request,
  };
  long result = error >= 0                      ? perform_request(body, header->operation, &r, &a)
                : header->operation == BODY_FDS ? do_fds(body, &r, error)
                                                : error;
  close_all(packet->fds, packet->count);
  if (result == ANSWER_LATER || header->request == 0)
    return;
  a.head.result = (int32_t)result;
  struct iovec pieces[] = {{&a.head, sizeof a.head}, {&a.fields, result < 0 ? 0 : a.size}};
  send_packet(body->socket, pieces, 2, a.fds, result < 0 ? 0 : a.fd_count);
  close_all(a.fds, a.fd_count);
}

/* Deno, which would have been the parent, takes its children back whatever its caller ignores. */
static void keep_children(void) {
  struct action action = {0};
  uint64_t set = UINT64_C(1) << (SIGCHLD - 1);
  sys4(SYS_RT_SIGACTION, SIGCHLD, (long)&action, 0, sizeof action.mask);
  sys4(SYS_RT_SIGPROCMASK, SIG_UNBLOCK, (long)&set, 0, sizeof set);
}

/* As Deno does it: a plan may take many descriptors. What is started gets the caller's limit back. */
static void raise_files(struct body *body) {
  uint64_t raised[2];
  if (sys4(SYS_PRLIMIT64, 0, RLIMIT_NOFILE_NUMBER, 0, (long)body->files) < 0)
    body->files[0] = body->files[1] = UINT64_MAX;
  raised[0] = raised[1] = body->files[1];
  if (body->files[0] < body->files[1])
    sys4(SYS_PRLIMIT64, 0, RLIMIT_NOFILE_NUMBER, (long)raised, 0);
}

/* The leftovers are those of a command that was killed. */
static int brain_ended(void) {
  static const char line[] = "runts: the warm brain ended while it was at work on the command; "
                             "what is left of it goes with delete --force\n";
  sys3(SYS_WRITE, 2, (long)line, sizeof line - 1);
  return FAILED;
}

/* Until something is to be done; what is not the brain's is done. */
static void attend(struct body *body) {
  struct pollfd polled[WATCHED + WATCH_COUNT] = {
      [WATCHED_SOCKET] = {.fd = (int)body->socket, .events = POLLIN},
      [WATCHED_ENDS] = {.fd = body->awaited ? (int)body->ends : -1, .events = POLLIN},
  };
  int patience = foreground_watch(body, polled + WATCHED);
  long ready = wait_for(polled, WATCHED + WATCH_COUNT, patience);
  if (polled[WATCHED_ENDS].revents)
    reap_children(body);
  foreground_step(body, polled + WATCHED, ready);
}

/* As Deno does it for itself. Until then nothing is other than Deno would find it. */
static void begin_work(struct body *body) {
  if (body->has_begun)
    return;
  body->has_begun = 1;
  raise_files(body);
  keep_children();
  ignore_broken_pipe();
}

/* Does what the brain asks for until it says how to end, or has ended itself. */
static int serve(struct body *body, struct packet *packet) {
  for (;;) {
    long length = receive_packet(body->socket, packet);
    const struct body_header *header = (const struct body_header *)packet->bytes;
    if (length == -EAGAIN) {
      attend(body);
    } else if (length == 0 || packet->length < sizeof *header) {
      return BRAIN_ENDED;
    } else if (header->operation == BODY_END) {
      const struct request r = {packet->bytes + sizeof *header,
                                packet->length - (uint32_t)sizeof *header, packet->fds, 0, 0};
      return number_at(&r, 0);
    } else {
      begin_work(body);
      answer(body, packet, length);
    }
  }
}

/* Nothing but the end of a program was left to do, and what was told to be done then. */
static int go_on(struct body *body) {
  body->socket = -1; /* nobody is told any more */
  while (body->awaited)
    attend(body);
  if (body->afterwards >= 0)
    run_to_end(body, body->afterwards);
  if (body->foreground)
    foreground_end(body, body->await_request);
  while (body->foreground)
    attend(body);
  return body->code;
}

int be_body(long socket, struct packet *packet) {
  struct body body = {.socket = socket, .lock = -1, .ends = -1, .afterwards = -1};
  int code = serve(&body, packet);
  if (code == BRAIN_ENDED && body.await_request)
    return go_on(&body);
  foreground_leave(&body);
  return code == BRAIN_ENDED ? brain_ended() : code;
}

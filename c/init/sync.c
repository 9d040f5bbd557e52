/* init's side of the conversation with runts, and where failures go. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../common/stop.h"
#include "init.h"

/* Without runts nobody can commit this container: it must not stay behind. */
static void exit_if_gone(long result) {
  if (result == -EPIPE || result == -ECONNRESET || result == -ENOTCONN)
    end_process(1);
}

int sync_send(struct init *in, int type, int error, uint64_t value, const char *detail,
              size_t length) {
  if (in->sync < 0)
    return 0;
  if (length > SYNC_RECORD_MAX - sizeof(struct sync_header))
    length = SYNC_RECORD_MAX - sizeof(struct sync_header);
  if (type != SYNC_WARNING && type != SYNC_TRACE)
    STOP("@tell");
  struct sync_header header = {type, (int32_t)in->op, error, 0, value};
  struct iovec parts[] = {{&header, sizeof header}, {(void *)(uintptr_t)detail, length}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  /* A filter is more likely to know writev(2); if nobody listens, SIGPIPE ends us just as well. */
  long sent = in->filtered ? RETRY(writev(in->sync, parts, length > 0 ? 2 : 1)) : -1;
  exit_if_gone(sent);
  if (sent <= 0)
    sent = RETRY(sendmsg(in->sync, &message, MSG_NOSIGNAL));
  exit_if_gone(sent);
  return sent < 0 ? (int)sent : sent == 0 ? -EIO : 0;
}

int sync_wait_go(struct init *in) {
  struct sync_header answer;
  int error = take_all_late(in);
  if (error != 0)
    return error;
  long length = RETRY(read(in->sync, &answer, sizeof answer));
  exit_if_gone(length);
  if (length == 0)
    end_process(1);
  if (length < 0)
    return fail_at(in, (int)length, "wait for an answer");
  if ((size_t)length < sizeof answer)
    return fail_at(in, -EPROTO, "an answer of %ld bytes", length);
  if (answer.type != SYNC_GO)
    return fail_at(in, -EPROTO, "an answer of type %d", (int)answer.type);
  STOP("@answered");
  return 0;
}

void announce_execution(struct init *in) {
  if (in->result < 0 || in->announced)
    return;
  in->announced = true;
  struct sync_header header = {SYNC_EXECUTING, (int32_t)in->op, 0, 0, 0};
  struct iovec part = {&header, sizeof header};
  (void)RETRY(writev(in->result, &part, 1));
}

/* One write: the reader finds a whole record or none. */
static void write_result(struct init *in, const struct sync_header *header) {
  char record[sizeof *header + DETAIL_MAX];
  memcpy(record, header, sizeof *header);
  memcpy(record + sizeof *header, in->detail, in->detail_length);
  struct iovec part = {record, sizeof *header + in->detail_length};
  signal(SIGPIPE, SIG_IGN);
  if (RETRY(write(in->result, record, part.iov_len)) != (long)part.iov_len)
    (void)RETRY(writev(in->result, &part, 1)); /* a filter may know but one of them */
}

_Noreturn void init_fail(struct init *in, int error) {
  int number = error == NO_ERRNO ? 0 : -error;
  if (in->result >= 0) {
    struct sync_header header = {SYNC_FAILED, (int32_t)in->op, number, 0, 0};
    write_result(in, &header);
  } else {
    sync_send(in, SYNC_FAILED, number, 0, in->detail, in->detail_length);
  }
  end_process(1);
}

int fail_at(struct init *in, int error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(in->detail, sizeof in->detail, format, args);
  va_end(args);
  in->detail_length = length < 0 ? 0 : strlen(in->detail);
  return error;
}

void fail_append(struct init *in, const void *bytes, size_t length) {
  size_t room = sizeof in->detail - in->detail_length;
  if (room == 0)
    return;
  in->detail[in->detail_length++] = '\0';
  if (length > room - 1)
    length = room - 1;
  memcpy(in->detail + in->detail_length, bytes, length);
  in->detail_length += length;
}

void warn_at(struct init *in, int error, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  sync_send(in, SYNC_WARNING, error < 0 ? -error : error, 0, text, strlen(text));
}

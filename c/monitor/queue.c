/*
 * Logs that may have no room just now: fifos, and the journal's socket, of which each record is a
 * datagram. What waits for room is bounded; what has no place there is lost, and counted.
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sink.h"

struct entry {
  uint32_t length;
  uint32_t text;
};

int journal_connect(const char *path) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof to.sun_path)
    return -ENAMETOOLONG;
  strcpy(to.sun_path, path);
  int fd = (int)RETRY(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  int error = fd < 0 ? fd : (int)RETRY(connect(fd, (struct sockaddr *)&to, sizeof to));
  if (fd >= 0 && error != 0)
    close(fd);
  return error != 0 ? error : fd;
}

static bool is_journal(const struct log *log) {
  return log->form.driver == BODY_LOG_JOURNALD;
}

/* How many bytes were taken; -EAGAIN for want of room. */
static long offer(struct log *log, const uint8_t *bytes, size_t length) {
  if (log->fd < 0 && log_reopen(log) != 0)
    return -ENOTCONN;
  if (!is_journal(log))
    return RETRY(write(log->fd, bytes, length));
  long sent = RETRY(send(log->fd, bytes, length, MSG_NOSIGNAL));
  if ((sent == -ECONNREFUSED || sent == -ENOTCONN) && log_reopen(log) == 0)
    sent = RETRY(send(log->fd, bytes, length, MSG_NOSIGNAL)); /* the journal began anew */
  return sent == -ENOBUFS ? -EAGAIN : sent;
}

static void queue_ready(struct source *source, uint32_t events);

static void queue_wait(struct log *log) {
  int fd = log->queue.source.fd < 0 ? (int)RETRY(fcntl(log->fd, F_DUPFD_CLOEXEC, 3)) : -1;
  if (fd >= 0 && loop_add(&log->queue.source, fd, EPOLLOUT, queue_ready) != 0)
    close(fd);
}

static bool is_empty(const struct queue *q) {
  return q->start == q->end;
}

/* Offers what waits, the first first, as long as it is taken. */
static void drain(struct log *log) {
  struct queue *q = &log->queue;
  while (!is_empty(q)) {
    struct entry entry;
    memcpy(&entry, q->bytes + q->start, sizeof entry);
    const uint8_t *bytes = q->bytes + q->start + sizeof entry;
    long taken = offer(log, bytes + q->sent, entry.length - q->sent);
    if (taken == -EAGAIN)
      return;
    if (taken < 0)
      lose(log, entry.text);
    q->sent += taken < 0 ? entry.length - q->sent : (size_t)taken;
    if (q->sent < entry.length)
      continue;
    the_monitor.written += taken < 0 ? 0 : entry.text;
    q->start += sizeof entry + entry.length;
    q->sent = 0;
  }
}

void queue_free(struct log *log) {
  struct queue *q = &log->queue;
  loop_remove(&q->source);
  unmap_memory(q->bytes, QUEUE_SIZE);
  *q = (struct queue){.source.fd = -1};
}

static bool queue_put(struct log *log, const uint8_t *bytes, size_t length, uint32_t text) {
  struct queue *q = &log->queue;
  struct entry entry = {(uint32_t)length, text};
  if (!q->bytes && !(q->bytes = map_memory(QUEUE_SIZE)))
    return false;
  if (q->end + sizeof entry + length > QUEUE_SIZE) {
    memmove(q->bytes, q->bytes + q->start, q->end - q->start);
    q->end -= q->start;
    q->start = 0;
  }
  if (q->end + sizeof entry + length > QUEUE_SIZE)
    return false;
  memcpy(q->bytes + q->end, &entry, sizeof entry);
  memcpy(q->bytes + q->end + sizeof entry, bytes, length);
  q->end += sizeof entry + length;
  return true;
}

/* True when the log will say how much is missing, or nothing is. */
static bool tell_loss(struct log *log) {
  uint8_t text[LOSS_MAX];
  if (log->lost == 0)
    return true;
  size_t length = format_loss(&log->form, log->lost, time_now(), text);
  if (!queue_put(log, text, length, 0))
    return false;
  log->lost = 0;
  log->form.open = false;
  return true;
}

/* What is left waits for room. */
static void go_on(struct log *log) {
  if (is_empty(&log->queue))
    queue_free(log);
  else
    queue_wait(log);
}

static void queue_ready(struct source *source, uint32_t events) {
  struct log *log = (struct log *)((char *)source - offsetof(struct log, queue));
  (void)events;
  drain(log);
  if (tell_loss(log))
    drain(log);
  loop_remove(source); /* the journal may have begun anew */
  go_on(log);
  log_settle(log);
}

void queue_end(struct log *log) {
  if (tell_loss(log))
    drain(log);
  go_on(log);
}

/* What is taken at once of the batch: of a fifo, perhaps a part of a record, too. */
static size_t offer_batch(struct log *log) {
  size_t done = 0;
  if (log->lost > 0 || !is_empty(&log->queue))
    return 0;
  for (uint32_t i = 0; i < batch.count; i++) {
    size_t end = is_journal(log) ? batch.record[i].end : batch.length;
    long taken = offer(log, batch.bytes + done, end - done);
    done += taken > 0 ? (size_t)taken : 0;
    if (done < end || done == batch.length)
      return done;
  }
  return done;
}

void queue_write(struct log *log) {
  size_t done = offer_batch(log), start = 0;
  for (uint32_t i = 0; i < batch.count; i++) {
    const struct batch_record *record = &batch.record[i];
    size_t from = start < done ? done : start;
    start = record->end;
    if (record->end <= done)
      the_monitor.written += record->text;
    else if (!tell_loss(log) ||
             !queue_put(log, batch.bytes + from, record->end - from, record->text)) {
      record_lost(log, record);
      continue;
    }
    record_written(log, record);
  }
  drain(log);
  go_on(log);
}

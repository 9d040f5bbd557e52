/*
 * Waiting for any number of descriptors with one thread (epoll(7)).
 *
 * Each wait has copies of its descriptors in the set: so the same one may be waited for twice, and a
 * number may be closed, and given out again, while somebody waits for what it stood for. A copy is
 * taken out of the set before it is closed: a child between clone and exec may have it, too.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "waiter.h"

#define BATCH 64
#define WAKE UINT64_MAX

static int watch(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return RETRY(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int32_t rts_waiter_make(int32_t *set) {
  set[0] = epoll_create1(EPOLL_CLOEXEC);
  if (set[0] < 0)
    return -errno;
  set[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int error = set[1] < 0 ? -errno : watch(set[0], set[1], EPOLLIN, WAKE);
  if (error == 0)
    return 0;
  close(set[0]);
  if (set[1] >= 0)
    close(set[1]);
  return error;
}

int32_t rts_waiter_remove(int32_t epoll, const int32_t *copies, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (copies[i] < 0)
      continue;
    epoll_ctl(epoll, EPOLL_CTL_DEL, copies[i], NULL);
    close(copies[i]);
  }
  return 0;
}

int32_t rts_waiter_add(int32_t epoll, const struct pollfd *polled, uint32_t count, uint32_t wait,
                       int32_t *copies) {
  for (uint32_t i = 0; i < count; i++) {
    copies[i] = -1;
    if (polled[i].fd < 0)
      continue;
    copies[i] = RETRY(fcntl(polled[i].fd, F_DUPFD_CLOEXEC, 3));
    uint64_t token = (uint64_t)i << 32 | wait;
    uint32_t events = (uint16_t)polled[i].events;
    int error = copies[i] < 0 ? copies[i] : watch(epoll, copies[i], events, token);
    if (error == 0)
      continue;
    if (copies[i] >= 0)
      close(copies[i]);
    copies[i] = -1;
    if (error == -EPERM)
      continue; /* a regular file: it has no events */
    rts_waiter_remove(epoll, copies, i);
    return error;
  }
  return 0;
}

int32_t rts_waiter_keep(int32_t epoll, int32_t fd, uint32_t wait) {
  int copy = RETRY(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (copy < 0)
    return copy;
  int error = watch(epoll, copy, EPOLLIN | EPOLLET, wait);
  if (error == 0)
    return copy;
  close(copy);
  return error;
}

int32_t rts_waiter_wake(int32_t wake) {
  int result = eventfd_write(wake, 1) == 0 ? 0 : -errno;
  return result == -EAGAIN ? 0 : result;
}

static int drain(int wake) {
  eventfd_t count;
  int result = eventfd_read(wake, &count) == 0 ? 0 : -errno;
  return result == -EAGAIN ? 0 : result;
}

static void make_room(int epoll, int descriptors) {
  int last = fcntl(epoll, F_DUPFD_CLOEXEC, descriptors - 1);
  if (last >= 0)
    close(last);
}

int32_t rts_waiter_wait(int32_t epoll, int32_t wake, uint64_t *ready, uint32_t size,
                        int32_t timeout_ms, int32_t room) {
  struct epoll_event events[BATCH];
  int most = size < BATCH ? (int)size : BATCH;
  uint64_t start = clock_ms(), start_ns = now_ns();
  if (room > 0)
    make_room(epoll, room);
  int count = -1;
  for (uint64_t turns = 0; count < 0; turns++) {
    count = epoll_wait(epoll, events, most, clock_left(start, timeout_ms));
    if (count < 0 && (errno != EINTR || is_spinning(start_ns, turns)))
      return -errno;
  }
  int32_t found = 0;
  for (int i = 0; i < count; i++) {
    int error = 0;
    if (events[i].data.u64 == WAKE)
      error = drain(wake);
    else
      ready[found++] = events[i].data.u64;
    if (error < 0)
      return error;
  }
  return found;
}

/*
 * One epoll set. A turn sees to one event, so nothing that an event belongs to can be gone by the
 * time it is seen to; epoll(7) takes the ready ones in turn.
 */
#define _GNU_SOURCE 1
#include <sys/epoll.h>

#include "monitor.h"

#define NS_PER_MS 1000000u
#define WAIT_MAX_MS 60000

static int set = -1;

int loop_add(struct source *source, int fd, uint32_t events,
             void (*ready)(struct source *, uint32_t)) {
  if (set < 0)
    set = RETRY(epoll_create1(EPOLL_CLOEXEC));
  source->fd = fd;
  source->ready = ready;
  struct epoll_event event = {.events = events, .data.ptr = source};
  int error = RETRY(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
  if (error < 0)
    source->fd = -1;
  return error;
}

void loop_change(const struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)source};
  if (source->fd >= 0)
    epoll_ctl(set, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_forget(const struct source *source) {
  epoll_ctl(set, EPOLL_CTL_DEL, source->fd, NULL);
}

void loop_remove(struct source *source) {
  if (source->fd < 0)
    return;
  loop_forget(source);
  close(source->fd);
  source->fd = -1;
}

static int wait_ms(uint64_t deadline) {
  if (deadline == 0)
    return -1;
  uint64_t now = now_ns();
  uint64_t ms = now >= deadline ? 0 : (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
  return ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int)ms;
}

bool loop_turn(uint64_t deadline) {
  struct epoll_event event;
  if (epoll_wait(set, &event, 1, wait_ms(deadline)) != 1)
    return false;
  struct source *source = event.data.ptr;
  source->ready(source, event.events);
  return true;
}

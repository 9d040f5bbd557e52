/* Copies between a container's terminal and our own input and output, in a thread. */
#define _GNU_SOURCE 1
#include "../common/relay.h"

#include <errno.h>
#include <stdlib.h>

#include "helper.h"

enum { POLL_WAKE = RELAY_POLLED, POLL_HURRY, POLL_COUNT };

static int copy(struct relay *r, int wake, int hurry) {
  struct pollfd polled[POLL_COUNT];
  while (!relay_is_done(r)) {
    relay_watch(r, polled);
    polled[POLL_WAKE] = (struct pollfd){.fd = r->woken ? -1 : wake, .events = POLLIN};
    polled[POLL_HURRY] = (struct pollfd){.fd = r->hurried ? -1 : hurry, .events = POLLIN};
    int ready = rts_poll(polled, POLL_COUNT, relay_patience(r));
    if (ready <= 0)
      return ready;
    if (polled[POLL_HURRY].revents)
      r->hurried = true;
    if (polled[POLL_WAKE].revents)
      relay_wake(r);
    relay_step(r, polled);
  }
  return 0;
}

int32_t rts_relay(int32_t master, int32_t input, int32_t output, int32_t log, int32_t wake,
                  int32_t hurry) {
  struct relay *relay = calloc(1, sizeof *relay);
  if (!relay)
    return -ENOMEM;
  int result = relay_begin(relay, master, input, output, log);
  if (result == 0) {
    result = copy(relay, wake, hurry);
    relay_end(relay);
  }
  free(relay);
  return result;
}

/*
 * Copies between a container's terminal and our own input and output, for whoever polls: until the terminal hangs
 * up, or once that is asked for, until it is empty.
 *
 * A terminal whose last user is gone answers with EIO, but only after it gave all that it held. A
 * write to our output must not block, nor may its mode be changed, which is shared with our caller: a
 * pipe or terminal is opened once more, and to all else goes no more at once than poll(2) promises.
 */
#ifndef RUNTS_RELAY_H
#define RUNTS_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_BUFFER 65536

/* One direction. Bytes from `start` to `end` were read and wait to be written. */
struct flow {
  int from;
  int to;
  bool ended;   /* nothing more will be read */
  bool discard; /* nobody wants what is read */
  int log;      /* a file that has what is read as well, or -1 */
  size_t start;
  size_t end;
  uint8_t bytes[RELAY_BUFFER];
};

/* All zero at first. */
struct relay {
  struct flow in, out;
  int again;    /* the output as a description of our own, or -1 */
  bool woken;   /* only what the terminal still holds is copied */
  bool hurried; /* and a reader that does nothing is not waited for */
};

enum { RELAY_MASTER, RELAY_INPUT, RELAY_OUTPUT, RELAY_POLLED };

/* Any but the terminal may be -1. 0, or -errno. */
int relay_begin(struct relay *r, int master, int input, int output, int log);
/* What to poll. */
void relay_watch(const struct relay *r, struct pollfd polled[RELAY_POLLED]);
/* In ms; after that much without anything it is done. -1: for ever. */
int relay_patience(const struct relay *r);
/* After the poll. */
void relay_step(struct relay *r, const struct pollfd polled[RELAY_POLLED]);
void relay_wake(struct relay *r);
bool relay_is_done(const struct relay *r);
void relay_end(struct relay *r);

#endif

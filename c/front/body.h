/* The front as the body of a warm brain: it does what must be done by the caller's process. */
#ifndef RUNTS_FRONT_BODY_H
#define RUNTS_FRONT_BODY_H

#include "../include/body.h"
#include "packet.h"

/* Of the front while a brain is at work. */
struct body {
  long socket;
  uint64_t files[2];      /* RLIMIT_NOFILE of the caller */
  int32_t lock, lock_pid; /* a lock that is held while a program runs, or -1 */
  int has_places;
  int32_t places[SLOTS_MAX]; /* descriptors for the slots of the next spawn */
};

/* What is said to a request. */
struct answer {
  struct body_reply head;
  union {
    struct body_spawned spawned;
    struct body_ending ending;
    struct body_descriptor descriptor;
    struct body_program program;
  } fields;
  uint32_t size;     /* of the fields, when the result is 0 */
  uint32_t fd_count; /* they go along, and are closed */
  int32_t fds[2];
};

/* A request in its packet. */
struct request {
  const uint8_t *fields;
  uint32_t size; /* of all that is behind the header */
  int32_t *fds;  /* closed afterwards, unless -1 */
  uint32_t fd_count;
};

/* Does what the brain asks for until it says how to end: an exit code. */
int be_body(long socket, struct packet *packet);

/* 0, or a negative error number. */
long do_spawn(struct body *body, const struct request *request, struct answer *answer);
long do_program(struct body *body, const struct request *request, struct answer *answer);

#endif

/* The front as the body of a warm brain: it does what must be done by the caller's process. */
#ifndef RUNTS_FRONT_BODY_H
#define RUNTS_FRONT_BODY_H

#include "../include/front.h"
#include "packet.h"

/* Of the front while a brain is at work. */
struct body {
  long socket;
  uint64_t files[2];             /* RLIMIT_NOFILE of the caller */
  int32_t lock, lock_pid;        /* a lock that is held while a program runs, or -1 */
  long ends;                     /* is read when a child has ended; -1 as long as nobody asked */
  int32_t awaited, code;         /* the child whose end is awaited, or 0; how it has ended */
  uint32_t await_request;        /* 0: none was ever awaited */
  int32_t afterwards;            /* a command to run after its end if the brain has gone, or -1 */
  struct foreground *foreground; /* NULL without one */
  int has_begun;
  int has_places;
  long places_error;         /* why some are missing, or 0 */
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
  uint32_t number;
};

/* A result that is none yet: answer_now says it. */
#define ANSWER_LATER 1

/* A number behind so many others; zero where the packet is too short. */
int32_t number_at(const struct request *request, uint32_t index);
/* The text behind so many numbers; NULL where it does not end. */
const char *text_at(const struct request *request, uint32_t numbers);

void answer_now(struct body *body, uint32_t operation, uint32_t request, long result,
                const void *fields, size_t size);

/* Does what the brain asks for until it says how to end: an exit code. */
int be_body(long socket, struct packet *packet);

/* 0, or a negative error number. */
long do_spawn(struct body *body, const struct request *request, struct answer *answer);
long do_monitor(const struct body *body, const struct request *request);
long do_program(struct body *body, const struct request *request, struct answer *answer);
/* A lock is held in the place of another, or of none, until a program has ended, or for longer. */
long hold_lock(struct body *body, int32_t pid, int32_t *fds, uint32_t count);
/* Runs the command of a file to its end, with the front's streams. */
void run_to_end(const struct body *body, int32_t file);

#endif

/* A process in the foreground of the front: it gets the front's signals, and perhaps its terminal. */
#ifndef RUNTS_FRONT_FOREGROUND_H
#define RUNTS_FRONT_FOREGROUND_H

#include <poll.h>

#include "../common/relay.h"
#include "body.h"

enum { WATCH_HURRY = RELAY_POLLED, WATCH_COUNT };

/* Its step, as body_foreground says; ANSWER_LATER for an end that has to wait for the terminal. */
long do_foreground(struct body *body, const struct request *request);

/* What to poll for it, WATCH_COUNT descriptors, and how long. */
int foreground_watch(const struct body *body, struct pollfd *polled);
/* After the poll, in which so many were ready; a pending end is told when it has come. */
void foreground_step(struct body *body, const struct pollfd *polled, long ready);

/* Once what the terminal still holds is copied, which is told then: ANSWER_LATER. */
long foreground_end(struct body *body, uint32_t request);
/* The caller's terminal and signals are as they were. */
long foreground_leave(struct body *body);

#endif

/* Children of the front, and whatever became one. */
#ifndef RUNTS_FRONT_CHILDREN_H
#define RUNTS_FRONT_CHILDREN_H

#include "body.h"

/* How a child ended that has; -EAGAIN, -ESRCH. */
long do_ending(struct body *body, int32_t pid, struct answer *answer);
/* The same once it has; meanwhile every other is reaped. */
long do_await(struct body *body, const struct request *request);
/* Ends a child and its group. */
long do_kill(int32_t pid);

/* Some child has ended, perhaps. */
void reap_children(struct body *body);

#endif

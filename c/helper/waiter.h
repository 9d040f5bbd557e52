/* Waiting for any number of descriptors with one thread: what ffi/waiter.ts calls. */
#ifndef RUNTS_WAITER_H
#define RUNTS_WAITER_H

#include "helper.h"

/* `set`: the descriptor of the set, and that which wakes whoever waits. */
int32_t rts_waiter_make(int32_t *set);

/*
 * Adds one wait, for any of the descriptors; a negative one is left out, and a regular file never
 * has events. `copies`: their copies in the set, for the removal; -1 for none. Needs no waking.
 */
int32_t rts_waiter_add(int32_t epoll, const struct pollfd *polled, uint32_t count, uint32_t wait,
                       int32_t *copies);

/*
 * Keeps one descriptor in the set, as that of the wait: an event comes once whenever there is more to be read
 * (EPOLLET), or when the other side has gone. Gives its copy, for the removal. Needs no waking.
 */
int32_t rts_waiter_keep(int32_t epoll, int32_t fd, uint32_t wait);

/* Takes a wait out, before or after it had an event; closes its copies. */
int32_t rts_waiter_remove(int32_t epoll, const int32_t *copies, uint32_t count);

int32_t rts_waiter_wake(int32_t wake);

/*
 * The number of events; 0 when it was woken or the time is up. `ready`: of each, the number of its
 * wait, and in the upper half the index of the descriptor. It comes again until the wait is removed.
 *
 * `room`: how many descriptors the process should have room for first, or 0. The kernel's table of them
 * doubles when it is full, and while threads share it whoever needs the next one waits for an RCU grace
 * period, which takes 5 to 35 ms: better this thread, and ahead. The limit of open files holds.
 */
int32_t rts_waiter_wait(int32_t epoll, int32_t wake, uint64_t *ready, uint32_t size,
                        int32_t timeout_ms, int32_t room);

#endif

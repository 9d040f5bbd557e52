/*
 * Trying again, with an end: a filter of system calls may give the same answer for ever (seccomp(2),
 * SECCOMP_RET_ERRNO), and refuse even the call that ends a process.
 */
#ifndef RUNTS_RETRY_H
#define RUNTS_RETRY_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* How often in a row a call may be interrupted. */
#define INTERRUPTIONS_MAX 1000

/* Retries a call while it is interrupted; gives its value or -errno. */
#define RETRY(expression)                                                               \
  ({                                                                                    \
    long retry_value_;                                                                  \
    int retry_count_ = 0;                                                               \
    do                                                                                  \
      retry_value_ = (long)(expression);                                                \
    while (retry_value_ == -1 && errno == EINTR && ++retry_count_ < INTERRUPTIONS_MAX); \
    retry_value_ == -1 ? -(long)errno : retry_value_;                                   \
  })

/*
 * As RETRY, for what is received from a local socket: a peer that ended without having read all that it
 * was sent gives ECONNRESET once; what it said before its end comes next (net/unix/af_unix.c).
 */
#define RECEIVE(expression)                                             \
  ({                                                                    \
    long receive_value_ = RETRY(expression);                            \
    receive_value_ == -ECONNRESET ? RETRY(expression) : receive_value_; \
  })

/*
 * As RETRY, for what is sent to a local socket: a peer that has ended gives EPIPE, whether or not it
 * had read all that it was sent before. What it said before its end is there to be received.
 */
#define SEND(expression)                                          \
  ({                                                              \
    long send_value_ = RETRY(expression);                         \
    send_value_ == -ECONNRESET ? RETRY(expression) : send_value_; \
  })

/* Whether what ought to wait had more turns since `start` (ns) than these, and one for each ms. */
bool is_spinning(uint64_t start, uint64_t turns);

/* CLOCK_MONOTONIC, in ns. */
uint64_t now_ns(void);

/*
 * As poll(2), begun anew when it is interrupted: the number of ready descriptors, or -errno. 0 only
 * once the clock has come to `deadline` (ns; 0: never).
 */
int poll_until(struct pollfd *polled, unsigned count, uint64_t deadline);

/*
 * Ends the process, if need be by a trap: what C libraries call _exit tries for ever where
 * exit_group(2) is refused. Safe after vfork(2).
 */
_Noreturn void end_process(int status);

#endif

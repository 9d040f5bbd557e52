/*
 * The helper library: what runts needs of the kernel and cannot have from JavaScript.
 *
 * spawn.c     starting init: memfds
 * monitor.c   starting a monitor (monitor.h)
 * pidfd.c     pidfds, signals, waiting for children; forward.c: signals handed on
 * sync.c      the conversation with init
 * userns.c    user namespaces for idmapped mounts
 * files.c     descriptors, fifos, locks, poll
 * waiter.c    waiting for many descriptors with one thread (waiter.h)
 * peer.c      who is at the other end of a socket (peer.h)
 * replace.c   becoming another program (replace.h)
 * sockets.c   unix sockets; message.c: descriptors passed over them
 * terminal.c  modes and sizes of terminals; relay.c: copying between two
 * hook.c      hooks of the runtime's namespaces
 * mount.c     taking mounts away (mount.h)
 * tree.c      whole trees of files: tree_copy.c, tree_file.c, tree_links.c (tree.h)
 * program.c   programs in namespaces of their own (program.h)
 * node.c      device nodes below a root (node.h)
 * netlink.c   sockets that speak of network namespaces (net.h)
 * bpf.c       device programs of cgroup v2; eventfd.c: events of cgroup v1 (bpf.h)
 * clock.c     timeouts
 * find.c      the way in: the only symbol that the library exports
 *
 * Functions give a value or -errno, begin anew when a signal interrupts them, and give up at their
 * timeout (ms; -1: none) with -ETIMEDOUT unless stated otherwise. New descriptors are CLOEXEC.
 * ffi/symbols.ts repeats the prototypes; a test compares the two.
 */
#ifndef RUNTS_HELPER_H
#define RUNTS_HELPER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/hook.h"
#include "../common/retry.h"
#include "../include/sync.h"

/* find.c. The address of one of the functions below, or NULL. */
__attribute__((visibility("default"))) void *rts_find(const char *name);

/* find.c. What the library was built from: BUILD_ID_LENGTH digits, without an end. */
int32_t rts_build_id(uint8_t *id);

/*
 * spawn.c. Starts init, out of a sealed memfd. `stdio`: three descriptors. Init inherits these,
 * `preserve` descriptors from 3 on, and copies of `fds` (-1: none), above those; nothing else.
 * `spawned`: pid, pidfd, socket. Does not wait until init is executed: why it was not comes over the
 * socket, as SYNC_FAILED without an operation, and the process ends with 127. Only from the main thread.
 */
int32_t rts_spawn(const uint8_t *plan, uint64_t length, const int32_t *fds, uint32_t count,
                  const int32_t *stdio, uint32_t preserve, uint32_t trace, int32_t *spawned);

/* sync.c. The length of the record; 0 at the end. */
int32_t rts_receive(int32_t socket, uint8_t *record, uint32_t size, int32_t timeout_ms);
int32_t rts_send(int32_t socket, const uint8_t *record, uint32_t length);

/* pidfd.c */
int32_t rts_pidfd_open(int32_t pid);
int32_t rts_pidfd_signal(int32_t pidfd, int32_t signal);
int32_t rts_pidfd_getfd(int32_t pidfd, int32_t fd);
/* Any child for pidfd -1. `ending`: pid, exit code, signal, core. 1, or 0 while none has ended. */
int32_t rts_reap(int32_t pidfd, int32_t *ending);
/* Waits for one child, and meanwhile reaps every other. 1. */
int32_t rts_reap_until(int32_t pid, int32_t *ending);
/*
 * The same for a process that is not our child, once its parent has reaped it, of which POLLHUP
 * tells; pid is 0. 0 when it is not known, -errno before Linux 6.15.
 */
int32_t rts_exit_status(int32_t pidfd, int32_t *ending);
int32_t rts_set_subreaper(int32_t on);
/*
 * Children that have ended wait to be reaped, and SIGCHLD comes through: a caller that ignores or
 * blocks it hands that down. The mask is the calling thread's.
 */
int32_t rts_keep_children(void);

/*
 * forward.c. Signals that we get are for another process: `forwarding` comes from the first function,
 * and what arrives before the second waits for it. Only from the main thread.
 */
#define RTS_FORWARD_MAX 64
int32_t rts_forward_begin(void);
int32_t rts_forward_to(int32_t forwarding, int32_t pidfd);
/* How often the signal has been handed on in this process. */
int32_t rts_forward_count(int32_t number);
/*
 * A listener of JavaScript has heard it. When the count is still this one, it came before the handlers
 * were set: it is handed on now. 1; else 0.
 */
int32_t rts_forward_heard(int32_t number, int32_t count);
/* A terminal takes over the size of another one, now and whenever that changes (SIGWINCH). */
int32_t rts_forward_size(int32_t forwarding, int32_t from, int32_t to);
/* A byte is written there when SIGHUP, SIGINT, SIGQUIT or SIGTERM comes, or has come. */
int32_t rts_forward_tell(int32_t forwarding, int32_t fd);
int32_t rts_forward_end(int32_t forwarding);

/* userns.c. A descriptor of the namespace. Maps as in user_namespaces(7). */
int32_t rts_userns(const char *uid_map, const char *gid_map);

/* files.c */
int32_t rts_open(const char *path, int32_t flags, uint32_t mode);
/* The same through no link of a process (/proc/self/fd/0): -ELOOP. */
int32_t rts_open_plain(const char *path, int32_t flags);
int32_t rts_close(int32_t fd);
/* All of a file; -EFBIG where it does not fit. */
int32_t rts_read_file(const char *path, uint8_t *bytes, uint32_t size);
int32_t rts_read(int32_t fd, uint8_t *bytes, uint32_t size);
/* -EAGAIN when there is nothing to be read at once, whatever the descriptor's mode. */
int32_t rts_read_available(int32_t fd, uint8_t *bytes, uint32_t size);
/* All of it, waiting as long as it takes. */
int32_t rts_write(int32_t fd, const uint8_t *bytes, uint32_t length);
int32_t rts_mkfifo(const char *path, uint32_t mode);
int32_t rts_rename(const char *from, const char *to);
/* The length of what the symlink says, without a NUL; -ENAMETOOLONG beyond the size. */
int32_t rts_readlink(const char *path, uint8_t *bytes, uint32_t size);
/* Opens (makes) the file of a lock; its closing gives the lock up. */
int32_t rts_lock_open(const char *path);
/* -EAGAIN while somebody else has it. */
int32_t rts_lock(int32_t fd);
/* The same for a lock of all bytes of the file (fcntl(2), F_OFD_SETLK), which others may ask for. */
int32_t rts_lock_bytes(int32_t fd);
/* The number of ready descriptors; 0 at the timeout. */
int32_t rts_poll(struct pollfd *polled, uint32_t count, int32_t timeout_ms);
int32_t rts_fd_flags(int32_t fd);
int32_t rts_pipe(int32_t *fds);
/* An empty file in memory; `name` is for those who look at it (memfd_create(2)). */
int32_t rts_memory_file(const char *name);

/*
 * sockets.c. A path that begins with '@' is an abstract address where it says so. -EAGAIN while the
 * other side takes no more.
 */
int32_t rts_connect_unix(const char *path);
int32_t rts_listen_unix(const char *path, uint32_t mode);
int32_t rts_accept(int32_t socket, int32_t timeout_ms);
int32_t rts_socketpair(int32_t *fds);
int32_t rts_bind_datagram(const char *path, uint32_t mode);
/* The path may be abstract. Waits for a queue that is full; with timeout 0 it does not. */
int32_t rts_send_datagram(const char *path, const uint8_t *bytes, uint32_t length,
                          const int32_t *fds, uint32_t count, uint32_t timeout_ms);

/* message.c. Messages with descriptors. */
#define RTS_MESSAGE_FDS 16
/*
 * A stream takes what it has room for now: the number of bytes, with which the descriptors go, or
 * -EAGAIN.
 */
int32_t rts_send_message(int32_t socket, const uint8_t *bytes, uint32_t length, const int32_t *fds,
                         uint32_t count);
/* The length of the message. `fds`: their number, then up to RTS_MESSAGE_FDS of them. */
int32_t rts_receive_message(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *fds,
                            int32_t timeout_ms);

/* terminal.c. `saved` holds a struct termios. */
int32_t rts_is_terminal(int32_t fd);
int32_t rts_window_get(int32_t fd, uint16_t *rows_cols);
int32_t rts_window_set(int32_t fd, uint16_t rows, uint16_t cols);
int32_t rts_raw_mode(int32_t fd, uint8_t *saved, uint32_t size);
int32_t rts_restore_mode(int32_t fd, const uint8_t *saved, uint32_t size);
int32_t rts_clear_onlcr(int32_t fd);

/*
 * relay.c. Copies `input` to the terminal and the terminal to `output` until the terminal hangs
 * up, or `wake` becomes readable and the terminal is empty. What is left then waits for the output's
 * reader, but once `hurry` is readable, too, only as long as it reads. Any but the terminal may be -1.
 */
int32_t rts_relay(int32_t master, int32_t input, int32_t output, int32_t log, int32_t wake,
                  int32_t hurry);

/*
 * hook.c. `words`: path, working directory ("": ours), arguments, environment; each ends in NUL.
 * `limits`: resource, soft and hard limit, each a number.
 */
struct rts_hook {
  uint32_t args;
  uint32_t env;
  uint32_t input_length;
  uint32_t timeout; /* s */
  int32_t output;   /* 0: none of its own; see struct hook */
  int32_t errors;
  uint32_t limits;
  uint32_t reserved;
};
/*
 * In steps: c/common/hook.h. The end waits for nothing, not even for room on our standard error. `limits`
 * may be forgotten once the hook has begun.
 */
int32_t rts_hook_begin(const struct rts_hook *hook, const char *words, const uint8_t *input,
                       const struct hook_limit *limits, struct hook_process *process,
                       struct hook_result *result);
int32_t rts_hook_pass_on(struct hook_process *process, struct hook_result *result);
int32_t rts_hook_kill(struct hook_process *process, struct hook_result *result);
int32_t rts_hook_end(struct hook_process *process, struct hook_result *result);

/* clock.c: for use within the library. */
uint64_t clock_ms(void);
/* What is left of a timeout that began at `start`, for poll(2): -1 without end, else 0 or more. */
int clock_left(uint64_t start, int32_t timeout_ms);

/* message.c, for sockets.c: the number of bytes. `address` may be NULL; `flags` as in sendmsg(2). */
struct sockaddr_un;
int message_send(int socket, const struct sockaddr_un *address, uint32_t address_length,
                 const uint8_t *bytes, uint32_t length, const int32_t *fds, uint32_t count,
                 int flags);

#endif

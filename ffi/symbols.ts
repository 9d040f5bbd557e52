/**
 * What c/helper exports. Each entry has its C prototype, as c/helper/helper.h states it; a test
 * compares the two with each other and with the types that are given here.
 *
 * Results are a value, or a negated error number (errno(3)). A nonblocking one is run by another
 * thread, of which a process has few: none of them waits for long but the relay.
 */

export const SYMBOLS = {
  // int32_t rts_build_id(uint8_t *id);
  rts_build_id: { parameters: ["buffer"], result: "i32" },

  // int32_t rts_spawn(const uint8_t *plan, uint64_t length, const int32_t *fds, uint32_t count,
  //   const int32_t *stdio, uint32_t preserve, uint32_t trace, int32_t *spawned);
  rts_spawn: {
    parameters: ["buffer", "u64", "buffer", "u32", "buffer", "u32", "u32", "buffer"],
    result: "i32",
  },
  // int32_t rts_receive(int32_t socket, uint8_t *record, uint32_t size, int32_t timeout_ms);
  rts_receive: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  // int32_t rts_send(int32_t socket, const uint8_t *record, uint32_t length);
  rts_send: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_pidfd_open(int32_t pid);
  rts_pidfd_open: { parameters: ["i32"], result: "i32" },
  // int32_t rts_pidfd_signal(int32_t pidfd, int32_t signal);
  rts_pidfd_signal: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_pidfd_getfd(int32_t pidfd, int32_t fd);
  rts_pidfd_getfd: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_reap(int32_t pidfd, int32_t *ending);
  rts_reap: { parameters: ["i32", "buffer"], result: "i32" },
  // int32_t rts_reap_until(int32_t pid, int32_t *ending);
  rts_reap_until: { parameters: ["i32", "buffer"], result: "i32", nonblocking: true },
  // int32_t rts_exit_status(int32_t pidfd, int32_t *ending);
  rts_exit_status: { parameters: ["i32", "buffer"], result: "i32" },
  // int32_t rts_set_subreaper(int32_t on);
  rts_set_subreaper: { parameters: ["i32"], result: "i32" },
  // int32_t rts_keep_children(void);
  rts_keep_children: { parameters: [], result: "i32" },
  // int32_t rts_forward_begin(void);
  rts_forward_begin: { parameters: [], result: "i32" },
  // int32_t rts_forward_to(int32_t forwarding, int32_t pidfd);
  rts_forward_to: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_forward_count(int32_t number);
  rts_forward_count: { parameters: ["i32"], result: "i32" },
  // int32_t rts_forward_heard(int32_t number, int32_t count);
  rts_forward_heard: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_forward_size(int32_t forwarding, int32_t from, int32_t to);
  rts_forward_size: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int32_t rts_forward_tell(int32_t forwarding, int32_t fd);
  rts_forward_tell: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_forward_end(int32_t forwarding);
  rts_forward_end: { parameters: ["i32"], result: "i32" },
  // int32_t rts_userns(const char *uid_map, const char *gid_map);
  rts_userns: { parameters: ["buffer", "buffer"], result: "i32" },

  // int32_t rts_open(const char *path, int32_t flags, uint32_t mode);
  rts_open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int32_t rts_open_plain(const char *path, int32_t flags);
  rts_open_plain: { parameters: ["buffer", "i32"], result: "i32" },
  // int32_t rts_close(int32_t fd);
  rts_close: { parameters: ["i32"], result: "i32" },
  // int32_t rts_read_file(const char *path, uint8_t *bytes, uint32_t size);
  rts_read_file: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
  // int32_t rts_read(int32_t fd, uint8_t *bytes, uint32_t size);
  rts_read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_read_available(int32_t fd, uint8_t *bytes, uint32_t size);
  rts_read_available: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_write(int32_t fd, const uint8_t *bytes, uint32_t length);
  rts_write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_mkfifo(const char *path, uint32_t mode);
  rts_mkfifo: { parameters: ["buffer", "u32"], result: "i32" },
  // int32_t rts_rename(const char *from, const char *to);
  rts_rename: { parameters: ["buffer", "buffer"], result: "i32" },
  // int32_t rts_readlink(const char *path, uint8_t *bytes, uint32_t size);
  rts_readlink: { parameters: ["buffer", "buffer", "u32"], result: "i32" },
  // int32_t rts_lock_open(const char *path);
  rts_lock_open: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_lock(int32_t fd);
  rts_lock: { parameters: ["i32"], result: "i32" },
  // int32_t rts_lock_bytes(int32_t fd);
  rts_lock_bytes: { parameters: ["i32"], result: "i32" },
  // int32_t rts_poll(struct pollfd *polled, uint32_t count, int32_t timeout_ms);
  rts_poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  // int32_t rts_fd_flags(int32_t fd);
  rts_fd_flags: { parameters: ["i32"], result: "i32" },
  // int32_t rts_pipe(int32_t *fds);
  rts_pipe: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_memory_file(const char *name);
  rts_memory_file: { parameters: ["buffer"], result: "i32" },

  // int32_t rts_connect_unix(const char *path);
  rts_connect_unix: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_listen_unix(const char *path, uint32_t mode);
  rts_listen_unix: { parameters: ["buffer", "u32"], result: "i32" },
  // int32_t rts_accept(int32_t socket, int32_t timeout_ms);
  rts_accept: { parameters: ["i32", "i32"], result: "i32" },
  // int32_t rts_socketpair(int32_t *fds);
  rts_socketpair: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_bind_datagram(const char *path, uint32_t mode);
  rts_bind_datagram: { parameters: ["buffer", "u32"], result: "i32" },
  // int32_t rts_send_datagram(const char *path, const uint8_t *bytes, uint32_t length, const
  //   int32_t *fds, uint32_t count, uint32_t timeout_ms);
  rts_send_datagram: {
    parameters: ["buffer", "buffer", "u32", "buffer", "u32", "u32"],
    result: "i32",
  },
  // int32_t rts_send_message(int32_t socket, const uint8_t *bytes, uint32_t length, const int32_t
  //   *fds, uint32_t count);
  rts_send_message: { parameters: ["i32", "buffer", "u32", "buffer", "u32"], result: "i32" },
  // int32_t rts_receive_message(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *fds,
  //   int32_t timeout_ms);
  rts_receive_message: { parameters: ["i32", "buffer", "u32", "buffer", "i32"], result: "i32" },

  // int32_t rts_is_terminal(int32_t fd);
  rts_is_terminal: { parameters: ["i32"], result: "i32" },
  // int32_t rts_window_get(int32_t fd, uint16_t *rows_cols);
  rts_window_get: { parameters: ["i32", "buffer"], result: "i32" },
  // int32_t rts_window_set(int32_t fd, uint16_t rows, uint16_t cols);
  rts_window_set: { parameters: ["i32", "u16", "u16"], result: "i32" },
  // int32_t rts_raw_mode(int32_t fd, uint8_t *saved, uint32_t size);
  rts_raw_mode: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_restore_mode(int32_t fd, const uint8_t *saved, uint32_t size);
  rts_restore_mode: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_clear_onlcr(int32_t fd);
  rts_clear_onlcr: { parameters: ["i32"], result: "i32" },
  // int32_t rts_relay(int32_t master, int32_t input, int32_t output, int32_t log, int32_t wake,
  //                   int32_t hurry);
  rts_relay: {
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },

  // int32_t rts_hook_begin(const struct rts_hook *hook, const char *words, const uint8_t *input,
  //   const struct hook_limit *limits, struct hook_process *process, struct hook_result *result);
  rts_hook_begin: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  // int32_t rts_hook_pass_on(struct hook_process *process, struct hook_result *result);
  rts_hook_pass_on: { parameters: ["buffer", "buffer"], result: "i32" },
  // int32_t rts_hook_kill(struct hook_process *process, struct hook_result *result);
  rts_hook_kill: { parameters: ["buffer", "buffer"], result: "i32" },
  // int32_t rts_hook_end(struct hook_process *process, struct hook_result *result);
  rts_hook_end: { parameters: ["buffer", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Numbers that c/helper/helper.h states as well. */
export const Size = {
  /** struct termios of the C library (x86-64 and arm64 alike), rounded up. */
  termios: 64,
  /** struct pollfd. */
  pollfd: 8,
  /** Descriptors that one message can bring. */
  messageFds: 16,
  /** struct rts_hook. */
  hook: 32,
  /** struct hook_process. */
  hookProcess: 24,
  /** struct hook_result, which ends in 4096 bytes of what the hook said on standard error. */
  hookResult: 32 + 4096,
} as const;

/** What ffi/waiter.ts needs of the helper library. */

/** Each with its C prototype, as c/helper/waiter.h states it. */
export const WAITER_SYMBOLS = {
  // int32_t rts_waiter_make(int32_t *set);
  rts_waiter_make: { parameters: ["buffer"], result: "i32" },
  // int32_t rts_waiter_add(int32_t epoll, const struct pollfd *polled, uint32_t count, uint32_t wait, int32_t *copies);
  rts_waiter_add: { parameters: ["i32", "buffer", "u32", "u32", "buffer"], result: "i32" },
  // int32_t rts_waiter_keep(int32_t epoll, int32_t fd, uint32_t wait);
  rts_waiter_keep: { parameters: ["i32", "i32", "u32"], result: "i32" },
  // int32_t rts_waiter_remove(int32_t epoll, const int32_t *copies, uint32_t count);
  rts_waiter_remove: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_waiter_wake(int32_t wake);
  rts_waiter_wake: { parameters: ["i32"], result: "i32" },
  // int32_t rts_waiter_wait(int32_t epoll, int32_t wake, uint64_t *ready, uint32_t size, int32_t timeout_ms, int32_t room);
  rts_waiter_wait: {
    parameters: ["i32", "i32", "buffer", "u32", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  /** The same in the calling thread. */
  rts_waiter_wait_here: {
    name: "rts_waiter_wait",
    parameters: ["i32", "i32", "buffer", "u32", "i32", "i32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Our ends of pipes and terminals: bytes as soon as they are there, or there is room. */

import { EAGAIN } from "../lib/base/errno.ts";
import { check } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/stream.h states it. */
export const STREAM_SYMBOLS = {
  // int32_t rts_stream_open(int32_t fd, uint32_t size);
  rts_stream_open: { parameters: ["i32", "u32"], result: "i32" },
  // int32_t rts_stream_read(int32_t fd, uint8_t *bytes, uint32_t size);
  rts_stream_read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t rts_stream_write(int32_t fd, const uint8_t *bytes, uint32_t length);
  rts_stream_write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Calls that never wait; `again` says that one would have to. */
export interface StreamCalls {
  /** From now on nothing waits on it; a pipe holds `size` bytes from then on, if that is allowed. */
  open(fd: number, size: number): void;
  /** Number of bytes; 0 at the end. */
  read(fd: number, bytes: Uint8Array): number | "again";
  /** Number of bytes that there was room for. */
  write(fd: number, bytes: Uint8Array): number | "again";
}

/** The calls. The library must have been loaded. */
export function streamCalls(): StreamCalls {
  const functions = furtherFunctions(STREAM_SYMBOLS);
  const sized = (result: number, operation: string) =>
    result === -EAGAIN ? "again" : check(result, operation);
  return {
    open(fd, size) {
      check(functions.rts_stream_open(fd, size), "prepare a stream");
    },
    read: (fd, bytes) =>
      sized(
        functions.rts_stream_read(fd, bytes as Uint8Array<ArrayBuffer>, bytes.length),
        "read a stream",
      ),
    write: (fd, bytes) =>
      sized(
        functions.rts_stream_write(fd, bytes as Uint8Array<ArrayBuffer>, bytes.length),
        "write to a stream",
      ),
  };
}

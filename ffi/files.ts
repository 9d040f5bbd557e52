/** Descriptors: files, fifos, locks, pipes, poll(2). Every new descriptor is CLOEXEC. */

import { EAGAIN, EBADF, ETIMEDOUT } from "../lib/base/errno.ts";
import { decodeBytes } from "../lib/base/bytes.ts";
import { quote } from "../lib/base/errors.ts";
import { check, cString, holding, ints, outside } from "./call.ts";
import type { Library } from "./library.ts";
import { pollBuffer, POLLIN, QUICK, readyOf } from "./poll.ts";

/** Longest path of the kernel and its NUL, in bytes (limits.h). */
const PATH_MAX = 4096;

/** Calls on descriptors. All but the `Async` ones are synchronous; timeouts in ms, -1 for ever. */
export interface FileCalls {
  /** open(2) with O_CLOEXEC. Give O_NONBLOCK for a fifo. */
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  /** Number of bytes read; 0 at the end. */
  read(fd: number, bytes: Uint8Array): number;
  /** Writes all bytes; gives their number. */
  write(fd: number, bytes: Uint8Array): number;
  /** What can be read without waiting. */
  readAvailable(fd: number, max: number): Uint8Array | "eof" | "again";
  /** The mode is not subject to the umask. */
  makeFifo(path: string, mode: number): void;
  rename(from: string, to: string): void;
  /** What a symlink says, whatever bytes it has (lib/base/bytes.ts). */
  readLink(path: string): string;
  /** Opens (makes) the file and locks it, flock(2); closing gives it up. ETIMEDOUT. */
  lock(path: string, timeoutMs: number): number;
  lockAsync(path: string, timeoutMs: number): Promise<number>;
  /** Those that are ready (or hung up); none at the timeout. Negative descriptors never are. */
  pollFds(fds: readonly number[], timeoutMs: number, events?: number): number[];
  pollFdsAsync(fds: readonly number[], timeoutMs: number, events?: number): Promise<number[]>;
  isOpenFd(fd: number): boolean;
  /** Flags of the descriptor (FD_CLOEXEC is 1); undefined when it is not open. */
  fdFlags(fd: number): number | undefined;
  /** Reading end, writing end. */
  pipe(): [number, number];
  /** An empty file in memory (memfd_create(2)). */
  memoryFile(name: string): number;
}

export function fileCalls(library: Library): FileCalls {
  return { ...transfers(library), ...locks(library), ...polls(library), ...tables(library) };
}

type Transfers = Pick<
  FileCalls,
  "open" | "close" | "read" | "write" | "readAvailable" | "rename" | "readLink"
>;

function transfers(library: Library): Transfers {
  return {
    open: (path, flags, mode = 0o600) =>
      check(library.rts_open(cString(path), flags, mode), () => `open ${quote(path)}`),
    close(fd) {
      check(library.rts_close(fd), () => `close descriptor ${fd}`);
    },
    read: (fd, bytes) =>
      check(
        library.rts_read(fd, bytes as Uint8Array<ArrayBuffer>, bytes.length),
        () => `read descriptor ${fd}`,
      ),
    write: (fd, bytes) =>
      check(
        library.rts_write(fd, bytes as Uint8Array<ArrayBuffer>, bytes.length),
        () => `write to descriptor ${fd}`,
      ),
    rename(from, to) {
      const operation = () => `rename ${quote(from)} to ${quote(to)}`;
      check(library.rts_rename(cString(from), cString(to)), operation);
    },
    readLink(path) {
      const bytes = outside(PATH_MAX);
      const result = library.rts_readlink(cString(path), bytes, PATH_MAX);
      return decodeBytes(bytes.subarray(0, check(result, () => `read ${quote(path)}`)));
    },
    readAvailable(fd, max) {
      const bytes = outside(max);
      const result = library.rts_read_available(fd, bytes, max);
      if (result === -EAGAIN) return "again";
      const length = check(result, () => `read descriptor ${fd}`);
      return length === 0 ? "eof" : bytes.subarray(0, length);
    },
  };
}

function locks(library: Library): Pick<FileCalls, "lock" | "lockAsync" | "makeFifo"> {
  return {
    lock: (path, timeoutMs) =>
      check(library.rts_lock(cString(path), timeoutMs), () => `lock ${quote(path)}`),
    async lockAsync(path, timeoutMs) {
      const name = cString(path);
      let result = library.rts_lock(name, 0);
      if (result === -ETIMEDOUT && timeoutMs !== 0) {
        result = await holding(library.rts_lock_async(name, timeoutMs), name);
      }
      return check(result, () => `lock ${quote(path)}`);
    },
    makeFifo(path, mode) {
      check(library.rts_mkfifo(cString(path), mode), () => `make fifo ${quote(path)}`);
    },
  };
}

function polls(library: Library): Pick<FileCalls, "pollFds" | "pollFdsAsync"> {
  function pollFds(fds: readonly number[], timeoutMs: number, events = POLLIN): number[] {
    const polled = pollBuffer(fds, events);
    check(library.rts_poll(polled, fds.length, timeoutMs), "wait for descriptors");
    return readyOf(fds, polled);
  }

  return {
    pollFds,
    async pollFdsAsync(fds, timeoutMs, events = POLLIN) {
      const short = timeoutMs >= 0 && timeoutMs <= QUICK;
      const quick = pollFds(fds, short ? timeoutMs : QUICK, events);
      if (quick.length > 0 || short) return quick;
      const polled = pollBuffer(fds, events);
      const left = timeoutMs < 0 ? -1 : timeoutMs - QUICK;
      const call = library.rts_poll_async(polled, fds.length, left);
      check(await holding(call, polled), "wait for descriptors");
      return readyOf(fds, polled);
    },
  };
}

function tables(
  library: Library,
): Pick<FileCalls, "isOpenFd" | "fdFlags" | "pipe" | "memoryFile"> {
  function fdFlags(fd: number): number | undefined {
    const result = library.rts_fd_flags(fd);
    return result === -EBADF ? undefined : check(result, () => `look at descriptor ${fd}`);
  }

  return {
    fdFlags,
    memoryFile: (name) => check(library.rts_memory_file(cString(name)), "make a file in memory"),
    isOpenFd: (fd) => fdFlags(fd) !== undefined,
    pipe() {
      const fds = ints([-1, -1]);
      check(library.rts_pipe(fds), "make a pipe");
      return [fds[0]!, fds[1]!];
    },
  };
}

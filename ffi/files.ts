/** Descriptors: files, fifos, locks, pipes, waiting. Every new descriptor is CLOEXEC. */

import { delay } from "../lib/base/delay.ts";
import { EAGAIN, EBADF, EFBIG, ETIMEDOUT } from "../lib/base/errno.ts";
import { decodeBytes } from "../lib/base/bytes.ts";
import { quote } from "../lib/base/errors.ts";
import { check, cString, holding, ints, outside } from "./call.ts";
import { furtherFunctions, type Library } from "./library.ts";
import type { Waiter, WaitOptions, Watch } from "./waiter.ts";

/** Longest path of the kernel and its NUL, in bytes (limits.h). */
const PATH_MAX = 4096;
/** Longest text that is read at once, and a byte. */
const TEXT_MAX = 64 * 1024 + 1;
/** How long a lock that is taken is left alone before the next try, in ms: at first, and at most. */
const LOCK_PAUSE = 1;
const LOCK_PAUSE_MAX = 10;

/** As in symbols.ts, by another thread. */
const SLOW_SYMBOLS = {
  rts_open_plain_later: {
    name: "rts_open_plain",
    parameters: ["buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

/** Calls on descriptors. Those that may have to wait give promises, and hold nobody else up. */
export interface FileCalls {
  /** open(2) with O_CLOEXEC. Give O_NONBLOCK for a fifo. */
  open(path: string, flags: number, mode?: number): number;
  /** The same through no link of a process, as `/proc/self/fd/0` is one: ELOOP. Takes as long as it takes. */
  openPlain(path: string, flags: number): Promise<number>;
  /** The same, holding the event loop up. */
  openPlainNow(path: string, flags: number): number;
  close(fd: number): void;
  /** The text of a file as Deno reads it; undefined when it cannot be opened or read. */
  readText(path: string): string | undefined;
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
  /**
   * Opens (makes) the file and locks it, flock(2); closing gives it up. ETIMEDOUT after that many ms.
   * An aborted wait throws the signal's reason.
   */
  lock(path: string, timeoutMs: number, signal?: AbortSignal): Promise<number>;
  /** The same with a lock of all of its bytes (fcntl(2), F_OFD_SETLK), by which LXC locks. */
  lockBytes(path: string, timeoutMs: number): Promise<number>;
  /** Those that can be read now (or have hung up), or have other events of poll(2). Negative descriptors never have. */
  readyFds(fds: readonly number[], events?: number): number[];
  /** Those that are ready (or have hung up), as soon as one is; none at the timeout. */
  awaitFds(fds: readonly number[], options?: WaitOptions): Promise<number[]>;
  /** Whether there is more to be read, or the other side has gone: for one that is waited for often. */
  watchFd(fd: number): Watch;
  isOpenFd(fd: number): boolean;
  /** Flags of the descriptor (FD_CLOEXEC is 1); undefined when it is not open. */
  fdFlags(fd: number): number | undefined;
  /** Reading end, writing end. */
  pipe(): [number, number];
  /** An empty file in memory (memfd_create(2)). */
  memoryFile(name: string): number;
}

export function fileCalls(library: Library, waiter: Waiter): FileCalls {
  return {
    ...transfers(library),
    ...locks(library),
    ...tables(library),
    readyFds: (fds, events) => waiter.look(fds, events),
    awaitFds: (fds, options) => waiter.wait(fds, options),
    watchFd: (fd) => waiter.watch(fd),
  };
}

type Transfers = Pick<
  FileCalls,
  | "readText"
  | "open"
  | "openPlain"
  | "openPlainNow"
  | "close"
  | "read"
  | "write"
  | "readAvailable"
  | "rename"
  | "readLink"
>;

function transfers(library: Library): Transfers {
  let room: Uint8Array<ArrayBuffer> | undefined;
  return {
    readText(path) {
      room ??= outside(TEXT_MAX);
      const length = library.rts_read_file(cString(path), room, TEXT_MAX);
      if (length < 0 && length !== -EFBIG) return undefined;
      const text = length < 0 ? undefined : decodeBytes(room.subarray(0, length));
      return text?.isWellFormed() ? text : Deno.readTextFileSync(path);
    },
    open: (path, flags, mode = 0o600) =>
      check(library.rts_open(cString(path), flags, mode), () => `open ${quote(path)}`),
    async openPlain(path, flags) {
      const name = cString(path);
      const call = furtherFunctions(SLOW_SYMBOLS).rts_open_plain_later(name, flags);
      const result = await holding(call, name);
      return check(result, () => `open ${quote(path)}`);
    },
    openPlainNow: (path, flags) =>
      check(library.rts_open_plain(cString(path), flags), () => `open ${quote(path)}`),
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

/** No descriptor tells that a lock is given up: it is tried again and again. */
async function lockLater(
  attempt: () => number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const end = performance.now() + timeoutMs;
  for (let pause = LOCK_PAUSE;; pause = Math.min(pause * 2, LOCK_PAUSE_MAX)) {
    const left = end - performance.now();
    if (left <= 0) return -ETIMEDOUT;
    await delay(Math.min(pause, left), signal);
    const result = attempt();
    if (result !== -EAGAIN) return result;
  }
}

async function lockFile(
  library: Library,
  kind: "rts_lock" | "rts_lock_bytes",
  path: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<number> {
  const what = () => `lock ${quote(path)}`;
  const fd = check(library.rts_lock_open(cString(path)), what);
  try {
    const attempt = () => library[kind](fd);
    const result = attempt();
    check(result === -EAGAIN ? await lockLater(attempt, timeoutMs, signal) : result, what);
    return fd;
  } catch (error) {
    library.rts_close(fd);
    throw error;
  }
}

function locks(library: Library): Pick<FileCalls, "lock" | "lockBytes" | "makeFifo"> {
  return {
    lock: (path, timeoutMs, signal) => lockFile(library, "rts_lock", path, timeoutMs, signal),
    lockBytes: (path, timeoutMs) => lockFile(library, "rts_lock_bytes", path, timeoutMs),
    makeFifo(path, mode) {
      check(library.rts_mkfifo(cString(path), mode), () => `make fifo ${quote(path)}`);
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

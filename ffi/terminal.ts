/** Terminals: window size, raw mode, and the relay between a container's terminal and ours. */

import { check, outside } from "./call.ts";
import type { Library } from "./library.ts";
import { Size } from "./symbols.ts";

/** In characters. */
export interface WindowSize {
  readonly rows: number;
  readonly cols: number;
}

/** The relay's descriptors. -1 leaves out the input, the output or a wake-up. */
interface Relay {
  /** The container's side; becomes non-blocking. */
  readonly master: number;
  readonly input: number;
  readonly output: number;
  /** A file that gets what the container writes as well. Default -1. */
  readonly log?: number;
  /** Once it is readable, what the terminal still holds is copied and the relay ends. */
  readonly wake: number;
  /** Once it is readable, too, a reader that does nothing is not waited for. Default -1. */
  readonly hurry?: number;
}

/** Calls on terminals (termios(3), ioctl_tty(2)). */
export interface TerminalCalls {
  isTerminal(fd: number): boolean;
  windowSize(fd: number): WindowSize;
  setWindowSize(fd: number, size: WindowSize): void;
  /** Makes the terminal raw (cfmakeraw(3)); gives the mode it had. */
  rawMode(fd: number): Uint8Array;
  restoreMode(fd: number, saved: Uint8Array): void;
  /** Newlines are no longer preceded by carriage returns on output. */
  clearOnlcr(fd: number): void;
  /**
   * Copies both ways until the terminal hangs up or is told to end; nothing that the container
   * wrote is lost, unless `hurry` allows it. An input that ends is no longer read; an output that is
   * closed swallows the rest. Takes one of the process' threads for blocking calls as long as it lasts:
   * one a foreground command.
   */
  relay(relay: Relay): Promise<void>;
}

export function terminalCalls(library: Library): TerminalCalls {
  return {
    isTerminal: (fd) => check(library.rts_is_terminal(fd), () => `look at descriptor ${fd}`) === 1,
    windowSize(fd) {
      const size = new Uint16Array(2);
      check(library.rts_window_get(fd, size), "read the size of the terminal");
      return { rows: size[0]!, cols: size[1]! };
    },
    setWindowSize(fd, { rows, cols }) {
      check(library.rts_window_set(fd, rows, cols), "set the size of the terminal");
    },
    rawMode(fd) {
      const saved = outside(Size.termios);
      check(library.rts_raw_mode(fd, saved, saved.length), "make the terminal raw");
      return saved;
    },
    restoreMode(fd, saved) {
      const bytes = saved as Uint8Array<ArrayBuffer>;
      check(library.rts_restore_mode(fd, bytes, bytes.length), "restore the terminal");
    },
    clearOnlcr(fd) {
      check(library.rts_clear_onlcr(fd), "set up the terminal");
    },
    async relay({ master, input, output, log = -1, wake, hurry = -1 }) {
      const result = await library.rts_relay(master, input, output, log, wake, hurry);
      check(result, "relay the terminal");
    },
  };
}

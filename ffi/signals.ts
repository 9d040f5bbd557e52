/** Handing signals on. Handlers in C do it, because JavaScript cannot listen to all of them. */

import { check } from "./call.ts";
import type { Library } from "./library.ts";

export interface SignalCalls {
  /**
   * From now on the signals that this process gets are kept for another one; all but SIGCHLD,
   * SIGWINCH, SIGURG and faults of its own. Gives what the other functions want.
   */
  beginForwarding(): number;
  /** The process runs: hands on what has come, and what comes from now on. */
  forwardTo(forwarding: number, pidfd: number): void;
  /** How often a signal, by its number, has been handed on in this process. */
  forwardedCount(number: number): number;
  /**
   * A listener has heard a signal. When it has not been handed on since the count was this, it came
   * before the handlers in C were there, and is handed on now.
   */
  heardSignal(number: number, count: number): void;
  /** One terminal takes over the size of another, now and whenever that changes. */
  forwardSize(forwarding: number, from: number, to: number): void;
  /** Writes a byte there when a signal comes, or has come, that asks to end. */
  tellOfRequests(forwarding: number, fd: number): void;
  /** Signals do again what they did before. */
  endForwarding(forwarding: number): void;
}

export function signalCalls(library: Library): SignalCalls {
  return {
    beginForwarding: () => check(library.rts_forward_begin(), "forward signals"),
    forwardTo(forwarding, pidfd) {
      check(library.rts_forward_to(forwarding, pidfd), "forward signals");
    },
    forwardedCount: (number) => check(library.rts_forward_count(number), "forward signals"),
    heardSignal(number, count) {
      check(library.rts_forward_heard(number, count), "forward signals");
    },
    forwardSize(forwarding, from, to) {
      check(library.rts_forward_size(forwarding, from, to), "set the size of the terminal");
    },
    tellOfRequests(forwarding, fd) {
      check(library.rts_forward_tell(forwarding, fd), "forward signals");
    },
    endForwarding(forwarding) {
      check(library.rts_forward_end(forwarding), "stop forwarding signals");
    },
  };
}

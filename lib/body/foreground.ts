/** A process in the foreground of this one: the terminal, and the signals that it should get. */

import type { Helper } from "../../ffi/helper.ts";
import { EIO } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import type { Foreground } from "./body.ts";

/**
 * Half a second after its start Deno sets handlers for these, in the place of those that are there
 * then. The process ends by them, unless a script listens (or, by SIGUSR1, gets a debugger); once
 * it has listened, they are not set again.
 */
const TAKEN_BY_DENO = ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1"] as const;

/** Hands the signals that runts gets on to a process; those that come before it runs wait for it. */
export class LocalForeground implements Foreground {
  readonly #helper: Helper;
  readonly #forwarding: number;
  readonly #listener = () => {};
  #terminal: Terminal | undefined;

  constructor(helper: Helper) {
    this.#helper = helper;
    for (const signal of TAKEN_BY_DENO) Deno.addSignalListener(signal, this.#listener);
    this.#forwarding = helper.beginForwarding();
  }

  forwardTo(pidfd: number): void {
    this.#helper.forwardTo(this.#forwarding, pidfd);
  }

  connect(master: number): void {
    this.#terminal = new Terminal(this.#helper, this.#forwarding, master);
  }

  async end(): Promise<void> {
    try {
      await this.#terminal?.disconnect(); // until then signals may ask it to end
    } finally {
      this.#helper.endForwarding(this.#forwarding);
      for (const signal of TAKEN_BY_DENO) Deno.removeSignalListener(signal, this.#listener);
    }
  }
}

/** Our terminal joined to that of a container. */
class Terminal {
  readonly #helper: Helper;
  #saved: Uint8Array | undefined;
  readonly #wake: readonly [number, number];
  readonly #hurry: readonly [number, number];
  readonly #relay: Promise<void>;

  /** Begins to copy both ways. */
  constructor(helper: Helper, forwarding: number, master: number) {
    this.#helper = helper;
    this.#wake = helper.pipe();
    this.#hurry = helper.pipe();
    helper.tellOfRequests(forwarding, this.#hurry[1]);
    // Our window has a size, and may change it.
    const tty = [0, 1, 2].find((fd) => helper.isTerminal(fd));
    if (tty !== undefined) helper.forwardSize(forwarding, tty, master);
    if (helper.isTerminal(0)) this.#saved = helper.rawMode(0);
    const [wake, hurry] = [this.#wake[0], this.#hurry[0]];
    this.#relay = helper.relay({ master, input: 0, output: 1, wake, hurry });
  }

  async disconnect(): Promise<void> {
    this.#helper.write(this.#wake[1], new Uint8Array([0]));
    try {
      await this.#relay;
    } finally {
      this.#restore();
    }
    for (const fd of [...this.#wake, ...this.#hurry]) this.#helper.close(fd);
  }

  /** A terminal that has hung up has no mode any more. */
  #restore(): void {
    if (this.#saved === undefined) return;
    try {
      this.#helper.restoreMode(0, this.#saved);
    } catch (error) {
      if (errnoOf(error) !== EIO) throw error;
    }
  }
}

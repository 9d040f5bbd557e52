/** A process in the foreground of this one: the terminal, and the signals that it should get. */

import type { Helper } from "../../ffi/helper.ts";
import { EIO } from "../base/errno.ts";
import { delay } from "../base/delay.ts";
import { errnoOf } from "../base/errors.ts";
import type { Foreground } from "./body.ts";

/**
 * Half a second after its start Deno sets handlers for these, in the place of those that are there
 * then. The process ends by them, unless a script listens (or, by SIGUSR1, gets a debugger); once
 * it has listened, they are not set again.
 */
const TAKEN_BY_DENO = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15, SIGUSR1: 10 } as const;
type Taken = keyof typeof TAKEN_BY_DENO;
/** Deno does not get to know of it from the handlers in C. */
const NOT_PASSED_ON: Taken = "SIGUSR1";
/** How long Deno may take to tell of a signal that has come, in ms. */
const HEARING = 1_000;

/** Hands the signals that runts gets on to a process; those that come before it runs wait for it. */
export class LocalForeground implements Foreground {
  readonly #helper: Helper;
  readonly #forwarding: number;
  readonly #hearings: readonly Hearing[];
  #terminal: Terminal | undefined;

  constructor(helper: Helper) {
    this.#helper = helper;
    const names = Object.keys(TAKEN_BY_DENO) as Taken[];
    this.#hearings = names.map((name) => new Hearing(helper, name));
    this.#forwarding = helper.beginForwarding();
  }

  forwardTo(pidfd: number): void {
    this.#helper.forwardTo(this.#forwarding, pidfd);
  }

  // deno-lint-ignore require-await
  async connect(master: number, log: number): Promise<void> {
    this.#terminal = new Terminal(this.#helper, this.#forwarding, master, log);
  }

  async end(): Promise<void> {
    try {
      await this.#terminal?.disconnect(); // until then signals may ask it to end
    } finally {
      this.#helper.endForwarding(this.#forwarding);
      await Promise.all(this.#hearings.map((one) => one.end()));
    }
  }
}

/** Deno's own listening to one signal. What comes before the handlers in C are there, it hears alone. */
class Hearing {
  readonly #helper: Helper;
  readonly #name: Taken;
  readonly #count: number;
  readonly #heard = Promise.withResolvers<void>();
  readonly #listener: () => void;

  constructor(helper: Helper, name: Taken) {
    const number = TAKEN_BY_DENO[name];
    this.#helper = helper;
    this.#name = name;
    this.#count = helper.forwardedCount(number);
    this.#listener = () => {
      helper.heardSignal(number, this.#count);
      this.#heard.resolve();
    };
    Deno.addSignalListener(name, this.#listener);
  }

  /**
   * Deno hears of a signal a while after the handler in C. Without a listener it would end the process
   * then, by a signal that somebody else has had.
   */
  async end(): Promise<void> {
    const count = this.#helper.forwardedCount(TAKEN_BY_DENO[this.#name]);
    if (this.#name !== NOT_PASSED_ON && count > this.#count) {
      const enough = new AbortController();
      const late = delay(HEARING, enough.signal).catch(() => {});
      await Promise.race([this.#heard.promise, late]);
      enough.abort();
    }
    Deno.removeSignalListener(this.#name, this.#listener);
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
  constructor(helper: Helper, forwarding: number, master: number, log: number) {
    this.#helper = helper;
    this.#wake = helper.pipe();
    this.#hurry = helper.pipe();
    helper.tellOfRequests(forwarding, this.#hurry[1]);
    // Our window has a size, and may change it.
    const tty = [0, 1, 2].find((fd) => helper.isTerminal(fd));
    if (tty !== undefined) helper.forwardSize(forwarding, tty, master);
    if (helper.isTerminal(0)) this.#saved = helper.rawMode(0);
    const [wake, hurry] = [this.#wake[0], this.#hurry[0]];
    this.#relay = helper.relay({ master, input: 0, output: 1, log, wake, hurry });
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

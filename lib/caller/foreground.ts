/** A process in the foreground: its terminal, the signals that it should get, its end. */

import type { Helper } from "../../ffi/helper.ts";
import type { ProcessEnding } from "../../ffi/process.ts";
import { EIO } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import type { ExitStatus } from "./options.ts";

/** How long init may take to send the terminal's master, in ms. */
const MASTER_TIMEOUT = 10_000;

/** The caller's terminal joined to that of a container; before anything runs in there. */
export class Terminal {
  readonly #helper: Helper;
  readonly #ours: number;
  /** To be handed to init, which sends the master over it. */
  readonly socket: number;
  #master = -1;
  #saved: Uint8Array | undefined;
  #wake: [number, number] = [-1, -1];
  #hurry: [number, number] = [-1, -1];
  #relay: Promise<void> | undefined;

  constructor(helper: Helper) {
    this.#helper = helper;
    [this.#ours, this.socket] = helper.socketpair();
  }

  /** Takes the master from init, before the program writes to the terminal. */
  async take(): Promise<void> {
    await this.#helper.awaitFds([this.#ours], { timeoutMs: MASTER_TIMEOUT });
    this.#master = this.#helper.receiveFd(this.#ours, 0).fd;
    this.#helper.clearOnlcr(this.#master); // the caller's terminal does that, and a file wants none
  }

  /** Begins to copy both ways. */
  async connect(signals: SignalForwarding | undefined): Promise<void> {
    const helper = this.#helper;
    if (this.#master < 0) await this.take();
    this.#followSize(signals);
    if (helper.isTerminal(0)) this.#saved = helper.rawMode(0);
    this.#wake = helper.pipe();
    this.#hurry = helper.pipe();
    signals?.tellOfRequests(this.#hurry[1]);
    const [wake, hurry] = [this.#wake[0], this.#hurry[0]];
    this.#relay = helper.relay({ master: this.#master, input: 0, output: 1, wake, hurry });
  }

  /**
   * Copies what is left, and gives the caller's terminal back as it was. Who was asked to end, by a
   * signal, does not wait for a reader that does nothing.
   */
  async disconnect(): Promise<void> {
    const helper = this.#helper;
    if (this.#relay !== undefined) {
      helper.write(this.#wake[1], new Uint8Array([0]));
      await this.#relay;
    }
    this.#restore();
    for (const fd of [this.#master, ...this.#wake, ...this.#hurry, this.#ours, this.socket]) {
      if (fd >= 0) helper.close(fd);
    }
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

  #followSize(signals: SignalForwarding | undefined): void {
    const tty = [0, 1, 2].find((fd) => this.#helper.isTerminal(fd));
    if (tty !== undefined) signals?.resize(tty, this.#master);
  }
}

/**
 * Half a second after its start Deno sets handlers for these, in the place of those that are there
 * then. The process ends by them, unless a script listens (or, by SIGUSR1, gets a debugger); once
 * it has listened, they are not set again.
 */
const TAKEN_BY_DENO = ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1"] as const;

/** Hands the signals that runts gets on to a process; those that come before it runs wait for it. */
export class SignalForwarding {
  readonly #helper: Helper;
  readonly #forwarding: number;
  readonly #listener = () => {};

  constructor(helper: Helper) {
    this.#helper = helper;
    for (const signal of TAKEN_BY_DENO) Deno.addSignalListener(signal, this.#listener);
    this.#forwarding = helper.beginForwarding();
  }

  /** The process runs. */
  to(pidfd: number): void {
    this.#helper.forwardTo(this.#forwarding, pidfd);
  }

  /** The caller's window has a size, and may change it. */
  resize(from: number, to: number): void {
    this.#helper.forwardSize(this.#forwarding, from, to);
  }

  /** A byte is written there when one comes that asks to end. */
  tellOfRequests(fd: number): void {
    this.#helper.tellOfRequests(this.#forwarding, fd);
  }

  stop(): void {
    this.#helper.endForwarding(this.#forwarding);
    for (const signal of TAKEN_BY_DENO) Deno.removeSignalListener(signal, this.#listener);
  }
}

/** A child. */
interface Child {
  readonly pid: number;
  readonly pidfd: number;
}

/** Waits for a child and reaps it; and meanwhile, if asked to, every other child. */
export async function waitForExit(
  helper: Helper,
  { pid, pidfd }: Child,
  reapAll = false,
): Promise<ExitStatus> {
  if (reapAll) return exitStatus(await helper.reapUntil(pid));
  await helper.awaitExit(pidfd);
  return exitStatus(helper.reap(pidfd));
}

/** As a shell has it: 128 and the signal for a process that one ended; 255 where it is not known. */
export function exitStatus(
  { code, signal }: Pick<ProcessEnding, "code" | "signal"> = { code: 255, signal: 0 },
): ExitStatus {
  return { code: signal === 0 ? code : 128 + signal, signal };
}

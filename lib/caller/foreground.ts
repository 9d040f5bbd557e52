/** A process in the foreground: its terminal, the signals that it should get, its end. */

import type { Helper } from "../../ffi/helper.ts";
import type { ProcessEnding } from "../../ffi/process.ts";
import { EIO } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import { parseSignal } from "../spec/values/signals.ts";
import type { ExitStatus } from "./options.ts";

/** Every signal that can be caught and concerns the program, as runc forwards them. */
const FORWARDED: readonly Deno.Signal[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGPWR",
  "SIGXCPU",
  "SIGXFSZ",
];

/** The caller's terminal joined to that of a container; before anything runs in there. */
export class Terminal {
  readonly #helper: Helper;
  readonly #ours: number;
  /** To be handed to init, which sends the master over it. */
  readonly socket: number;
  #master = -1;
  #saved: Uint8Array | undefined;
  #wake: [number, number] = [-1, -1];
  #relay: Promise<void> | undefined;

  constructor(helper: Helper) {
    this.#helper = helper;
    [this.#ours, this.socket] = helper.socketpair();
  }

  /** Takes the master from init and begins to copy both ways. */
  connect(): void {
    const helper = this.#helper;
    this.#master = helper.receiveFd(this.#ours, 10_000).fd;
    const tty = this.#callerTerminal();
    if (tty !== undefined) helper.setWindowSize(this.#master, helper.windowSize(tty));
    helper.clearOnlcr(this.#master); // the caller's terminal does that, and a file wants none
    if (helper.isTerminal(0)) this.#saved = helper.rawMode(0);
    this.#wake = helper.pipe();
    this.#relay = helper.relay({ master: this.#master, input: 0, output: 1, wake: this.#wake[0] });
  }

  /** The caller's window changed its size. */
  readonly resized = (): void => {
    const tty = this.#callerTerminal();
    if (tty === undefined || this.#master < 0) return;
    try {
      this.#helper.setWindowSize(this.#master, this.#helper.windowSize(tty));
    } catch {
      // it has hung up
    }
  };

  /** Copies what is left, and gives the caller's terminal back as it was. */
  async disconnect(): Promise<void> {
    const helper = this.#helper;
    if (this.#relay !== undefined) {
      helper.write(this.#wake[1], new Uint8Array([0]));
      await this.#relay;
    }
    this.#restore();
    for (const fd of [this.#master, ...this.#wake, this.#ours, this.socket]) {
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

  #callerTerminal(): number | undefined {
    return [0, 1, 2].find((fd) => this.#helper.isTerminal(fd));
  }
}

/** Hands the signals that runts gets on to a process; those that come before it runs wait for it. */
export class SignalForwarding {
  readonly #helper: Helper;
  readonly #listeners: [Deno.Signal, () => void][] = [];
  readonly #early: number[] = [];
  #pidfd = -1;

  constructor(helper: Helper, terminal: Terminal | undefined) {
    this.#helper = helper;
    for (const name of FORWARDED) {
      const signal = parseSignal(name);
      this.#listen(name, () => this.#pidfd < 0 ? this.#early.push(signal) : this.#send(signal));
    }
    if (terminal !== undefined) this.#listen("SIGWINCH", terminal.resized);
  }

  /** The process runs. */
  to(pidfd: number): void {
    this.#pidfd = pidfd;
    this.#early.splice(0).forEach((signal) => this.#send(signal));
  }

  stop(): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }

  #listen(name: Deno.Signal, listener: () => void): void {
    Deno.addSignalListener(name, listener);
    this.#listeners.push([name, listener]);
    this.#helper.unblockSignal(parseSignal(name)); // the caller may block it
  }

  #send(signal: number): void {
    try {
      this.#helper.sendSignal(this.#pidfd, signal);
    } catch {
      // it has just ended; its exit is being awaited
    }
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
  if (!reapAll) {
    await helper.exitedAsync(pidfd);
    return exitStatus(helper.reap(pidfd));
  }
  let ended: ProcessEnding | undefined;
  const reap = () => {
    for (;;) {
      const child = helper.reapAny();
      if (typeof child === "string") return;
      if (child.pid === pid) ended = child;
    }
  };
  Deno.addSignalListener("SIGCHLD", reap);
  try {
    reap();
    await helper.exitedAsync(pidfd);
    reap();
  } finally {
    Deno.removeSignalListener("SIGCHLD", reap);
  }
  return exitStatus(ended);
}

/** As a shell has it: 128 and the signal for a process that one ended; 255 where it is not known. */
export function exitStatus(
  { code, signal }: Pick<ProcessEnding, "code" | "signal"> = { code: 255, signal: 0 },
): ExitStatus {
  return { code: signal === 0 ? code : 128 + signal, signal };
}

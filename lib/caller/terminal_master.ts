/** The way of a terminal's master from init to whoever is going to have it. */

import type { OwnHelper } from "../runtime/runtime.ts";

/** How long init may take to send it, in ms. */
const TIMEOUT = 10_000;

/** A pair of sockets for one terminal. */
export class TerminalMaster {
  readonly #helper: OwnHelper;
  readonly #ours: number;
  /** The socket for init. */
  readonly theirs: number;

  constructor(helper: OwnHelper) {
    this.#helper = helper;
    [this.#ours, this.theirs] = helper.socketpair();
  }

  /** Takes the master, which is the caller's to close. */
  async take(): Promise<number> {
    await this.#helper.awaitFds([this.#ours], { timeoutMs: TIMEOUT });
    return this.#helper.receiveFd(this.#ours, 0).fd;
  }

  close(): void {
    this.#helper.close(this.#ours);
    this.#helper.close(this.theirs);
  }
}

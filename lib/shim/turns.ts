/** One after the other: requests that brains have died at work on are not worked on at the same time. */

import { delay } from "../base/delay.ts";

/** For so long, in ms, the next one waits for the one before: it may wait itself, for a client or a program. */
const PATIENCE = 1_000;

/** A queue. */
export class Turns {
  readonly #patience: number;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @param patience in ms */
  constructor(patience = PATIENCE) {
    this.#patience = patience;
  }

  /** Whether whoever comes has to wait. */
  get isTaken(): boolean {
    return this.#waiting > 0;
  }

  /** Does the work when it is its turn. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last;
    this.#waiting++;
    const done = turn.then(work);
    this.#last = turn.then(() => this.#within(done)).then(() => {
      this.#waiting--;
    });
    return done;
  }

  async #within(work: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const late = delay(this.#patience, over.signal).catch(() => {});
    await Promise.race([work.catch(() => {}), late]);
    over.abort();
  }
}

/** A time that something may take, as a signal for whatever waits in it. */

import { type ErrorData, RuntsError } from "./errors.ts";

/** It took longer. */
class TimeUp extends RuntsError {}

/** Its disposal calls it off. */
export class TimeLimit implements Disposable {
  /** Aborted at the limit, and when that of the caller is. */
  readonly signal: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ms 0: there is no limit */
  constructor(operation: string, ms: number, outer?: AbortSignal) {
    this.signal = outer;
    if (ms === 0) return;
    const over = new AbortController();
    const error = new TimeUp(`${operation} after ${ms / 1000} s`);
    this.#timer = setTimeout(() => over.abort(error), ms);
    this.signal = outer === undefined ? over.signal : AbortSignal.any([outer, over.signal]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** What a wait threw; of a time limit, with what was waited for. */
export function whileWaiting(error: unknown, data: ErrorData): unknown {
  return error instanceof TimeUp ? error.with(data) : error;
}

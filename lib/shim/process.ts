/** A process of a task, as this brain knows it. */

import type { ProcessEntry } from "./record.ts";

/** What is written down of it, and who waits for what becomes of it. */
export class TaskProcess {
  /** Resolves once it was started, or never will be. */
  readonly begun = Promise.withResolvers<void>();
  /** Its end is being told of; then it is stopped. */
  ending: Promise<void> | undefined;
  /** A start that is going on, which is told of before the end is. */
  #start: Promise<unknown> = Promise.resolve();
  /** Its input is to be closed once it is started. */
  inputClosed = false;

  constructor(readonly execId: string, readonly entry: ProcessEntry) {
    if (entry.state !== "created") this.begun.resolve();
  }

  get state(): ProcessEntry["state"] {
    return this.entry.state;
  }

  /** Does something that its end is not told of before. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const former = this.#start;
    const own = Promise.withResolvers<void>();
    this.#start = own.promise;
    await former;
    try {
      return await work();
    } finally {
      own.resolve();
    }
  }

  /** Resolves when nothing of that goes on. */
  async settled(): Promise<void> {
    await this.#start;
  }
}

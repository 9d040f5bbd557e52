/** A process of a task, as this brain knows it. */

import { now } from "./events.ts";
import type { PreparedExec } from "./making.ts";
import type { Exit, ProcessEntry } from "./record.ts";

/** What is written down of it, and who waits for what becomes of it. */
export class TaskProcess {
  /** Resolves once it was started, or never will be. */
  readonly begun = Promise.withResolvers<void>();
  /** What its start takes, as far as that is got ready before. */
  prepared: Promise<PreparedExec> | undefined;
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

  /** What a client learns that deletes it. */
  result(): { readonly pid: number; readonly exit: Exit } {
    const { pid, exit } = this.entry;
    return { pid, exit: exit ?? { code: 0, at: String(now()) } };
  }

  /** Whoever takes what was got ready sees to its streams. */
  takePrepared(): Promise<PreparedExec> | undefined {
    const { prepared } = this;
    this.prepared = undefined;
    return prepared;
  }

  /** It is not going to be started here. */
  async discard(): Promise<void> {
    const prepared = await this.takePrepared()?.catch(() => undefined);
    prepared?.streams.close();
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

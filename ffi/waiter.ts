/** Waits for descriptors: any number of them with one thread, which is there while something waits. */

import { turn } from "../lib/base/turn.ts";
import type { Library } from "./library.ts";
import { look, POLLIN } from "./poll.ts";
import { type WaitOptions, WaitSet, type Watch } from "./wait_set.ts";

export type { WaitOptions, Watch };

/**
 * Waits for descriptors. All waiters that are made of one share its thread.
 */
export class Waiter implements AsyncDisposable {
  readonly #library: Library;
  readonly #patience: number;
  readonly #set: WaitSet;

  /**
   * @param patience how long a wait first waits in the calling thread, in ms. What comes at once, as most
   * answers of init do, costs no change of thread then: right for a process that has nothing else to do,
   * as the command line
   */
  constructor(library: Library, patience = 0, set: WaitSet = new WaitSet(library)) {
    this.#library = library;
    this.#patience = patience;
    this.#set = set;
  }

  /** Another one on the same thread. */
  withPatience(patience: number): Waiter {
    return new Waiter(this.#library, patience, this.#set);
  }

  /** Those that are ready now (or hung up). Negative descriptors never are. */
  look(fds: readonly number[], events = POLLIN, timeoutMs = 0): number[] {
    return look(this.#library, fds, events, timeoutMs);
  }

  /** Those that are ready, as soon as one is; none at the timeout. */
  async wait(fds: readonly number[], options: WaitOptions = {}): Promise<number[]> {
    const { events = POLLIN, signal } = options;
    const timeoutMs = Math.ceil(options.timeoutMs ?? -1);
    signal?.throwIfAborted();
    const quick = timeoutMs < 0 ? this.quick : Math.min(timeoutMs, this.quick);
    const ready = this.look(fds, events, quick);
    if (ready.length > 0 || timeoutMs === quick) {
      if (this.#patience === 0) await turn();
      return ready;
    }
    const left = timeoutMs < 0 ? -1 : timeoutMs - quick;
    return await this.waitLong(fds, { ...options, timeoutMs: left });
  }

  /** A watch of one descriptor: each of its waits is cheaper than one that is made for itself. */
  watch(fd: number): Watch {
    const watch = this.#patience === 0 ? this.#set.watch(fd) : undefined;
    return watch ?? {
      wait: async (options) => (await this.wait([fd], options)).length > 0,
      [Symbol.dispose]() {},
    };
  }

  /** How long whoever has nothing better to do may wait in the calling thread, in ms. */
  get quick(): number {
    return this.#set.isEmpty ? this.#patience : 0;
  }

  /** The same for those that are known not to be ready yet. */
  waitLong(fds: readonly number[], options: WaitOptions = {}): Promise<number[]> {
    return this.#set.wait(fds, options, this.#patience === 0);
  }

  /**
   * From now on every wait on this thread first waits so long (ms) in the thread of the event loop, for all
   * that is waited for together: right for a process all of whose work waits for descriptors. Each answer
   * costs one change of thread less.
   *
   * @param isBusy whether anything is under way that the event loop alone will tell of
   */
  linger(ms: number, isBusy: () => boolean): void {
    this.#set.linger = { ms, isBusy };
  }

  /** Ends whatever waits with an error, and closes what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#set[Symbol.asyncDispose]();
  }
}

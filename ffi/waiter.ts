/** Waits for descriptors: any number of them with one thread, which is there while something waits. */

import { delay, isDelayAwaited } from "../lib/base/delay.ts";
import { EMFILE, ENFILE, ENOMEM, ENOSPC } from "../lib/base/errno.ts";
import { RuntsError } from "../lib/base/errors.ts";
import { isTurnAwaited, turn } from "../lib/base/turn.ts";
import { check, holding, ints, outside } from "./call.ts";
import { furtherFunctions, type Library } from "./library.ts";
import { pollBuffer, POLLIN, readyOf } from "./poll.ts";
import { WAITER_SYMBOLS } from "./waiter_symbols.ts";

/** What a wait may be given. */
export interface WaitOptions {
  /** In ms; -1, the default, is for ever. */
  readonly timeoutMs?: number;
  /** Events of poll(2), default POLLIN. Errors and hang-ups always count. */
  readonly events?: number;
  /** Ends the wait, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

interface Wait {
  readonly number: number;
  readonly fds: readonly number[];
  /** What stands for them in the set. */
  readonly copies: Int32Array<ArrayBuffer>;
  /** As performance.now() has it, or Infinity. */
  readonly deadline: number;
  readonly turns: boolean;
  readonly resolve: (ready: number[]) => void;
  readonly reject: (reason: unknown) => void;
}

const OPERATION = "wait for descriptors";
/** Events that one look at the set can give. */
const BATCH = 64;
/** Descriptors that callers may open while the kernel makes room: as many as there are, and these. */
const AHEAD = 128;
/** Errors for want of descriptors or memory: then we look again after at most that many ms. */
const SHORT: readonly number[] = [EMFILE, ENFILE, ENOMEM, ENOSPC];
const LOOK_PAUSE_MAX = 20;
/** So many turns of others may come before we look again. */
const TURNS_MAX = 8;
/** Longest timeout of a call, in ms. */
const CALL_MAX = 2 ** 31 - 1;

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

function look(
  library: Library,
  fds: readonly number[],
  events: number,
  timeoutMs: number,
): number[] {
  const polled = pollBuffer(fds, events);
  check(library.rts_poll(polled, fds.length, timeoutMs), OPERATION);
  return readyOf(fds, polled);
}

/**
 * A set of waits. It keeps two descriptors open from its first long wait on. As long as somebody waits,
 * the process does not end by itself.
 */
class WaitSet implements AsyncDisposable {
  readonly #library: Library;
  readonly #functions = furtherFunctions(WAITER_SYMBOLS);
  readonly #waits = new Map<number, Wait>();
  /** Those that have a deadline. */
  readonly #timed = new Set<Wait>();
  readonly #ready = outside(BATCH * 8);
  #set: readonly [epoll: number, wake: number] | undefined;
  /** The descriptors that the kernel has room for as far as we know, or that the next call asks it for. */
  #room = 0;
  #lacksRoom = false;
  #last = 0;
  #run: Promise<void> | undefined;
  /** When the call that is under way returns by itself; -Infinity when none is. */
  #returns = -Infinity;

  constructor(library: Library) {
    this.#library = library;
  }

  /** {@linkcode Waiter.linger} */
  linger: { readonly ms: number; readonly isBusy: () => boolean } | undefined;

  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  /** `turns`: what follows it is given a turn of its own. */
  async wait(
    fds: readonly number[],
    { timeoutMs = -1, events = POLLIN, signal }: WaitOptions,
    turns: boolean,
  ): Promise<number[]> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<number[]>();
    const number = this.#last = (this.#last + 1) >>> 0;
    const deadline = timeoutMs < 0 ? Infinity : performance.now() + timeoutMs;
    const copies = this.#add(number, fds, events);
    if (copies === undefined) return await this.#lookAgain(fds, events, deadline, signal);
    const wait: Wait = { number, fds, copies, deadline, turns, resolve, reject };
    this.#waits.set(number, wait);
    if (turns) this.#makeRoom(2 * Math.max(...copies) + AHEAD);
    if (deadline < Infinity) this.#timed.add(wait);
    const abort = () => {
      if (!this.#remove(wait)) return;
      if (this.#waits.size === 0) this.#wake();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort);
    if (this.#run === undefined) this.#run = this.#serve();
    else if (deadline < this.#returns) this.#wake();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Ends whatever waits with an error, and closes what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new RuntsError(OPERATION, { cause: "whoever waits for them has ended" }));
    this.#wake();
    await this.#run;
    for (const fd of this.#set ?? []) this.#library.rts_close(fd);
    this.#set = undefined;
  }

  /** Gives the copies in the set; undefined for want of descriptors. */
  #add(
    number: number,
    fds: readonly number[],
    events: number,
  ): Int32Array<ArrayBuffer> | undefined {
    const copies = ints(fds.map(() => -1));
    let result = 0;
    if (this.#set === undefined) {
      const set = ints([-1, -1]);
      result = this.#functions.rts_waiter_make(set);
      if (result === 0) this.#set = [set[0]!, set[1]!];
    }
    if (this.#set !== undefined) {
      const polled = pollBuffer(fds, events);
      const [epoll] = this.#set;
      result = this.#functions.rts_waiter_add(epoll, polled, fds.length, number, copies);
    }
    if (SHORT.includes(-result)) return undefined;
    check(result, OPERATION);
    return copies;
  }

  /** Has the other thread wait for the kernel's room for descriptors, in powers of two as the kernel. */
  #makeRoom(descriptors: number): void {
    if (descriptors < this.#room) return;
    this.#room = 2 ** (Math.floor(Math.log2(descriptors)) + 1);
    this.#lacksRoom = true;
    if (this.#run !== undefined) this.#wake();
  }

  async #lookAgain(
    fds: readonly number[],
    events: number,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    for (let pause = 1;; pause = Math.min(pause * 2, LOOK_PAUSE_MAX)) {
      const ready = look(this.#library, fds, events, 0);
      const left = deadline - performance.now();
      if (ready.length > 0 || left <= 0) return ready;
      await delay(Math.min(pause, left), signal);
    }
  }

  /** Waits by another thread, again and again, until nobody waits any more. */
  async #serve(): Promise<void> {
    const [epoll, wake] = this.#set!;
    const ready = this.#ready;
    try {
      while (this.#waits.size > 0) {
        const room = this.#lacksRoom ? this.#room : 0;
        this.#lacksRoom = false;
        const { linger } = this;
        let count = linger === undefined ? 0 : await this.#waitHere(linger, room);
        if (count === 0 && this.#waits.size > 0) {
          const left = this.#untilDeadline();
          const call = this.#functions.rts_waiter_wait(epoll, wake, ready, BATCH, left, room);
          count = check(await holding(call, ready), OPERATION);
        }
        this.#returns = -Infinity;
        await this.#settle(new Uint32Array(ready.buffer, 0, count * 2));
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#run = undefined;
      this.#returns = -Infinity;
    }
  }

  /** Waits in this thread while nobody has anything else to do. How many are ready. */
  async #waitHere(
    { ms: most, isBusy }: NonNullable<WaitSet["linger"]>,
    room: number,
  ): Promise<number> {
    const [epoll, wake] = this.#set!;
    for (let turns = 0; turns === 0 || (turns < TURNS_MAX && isTurnAwaited()); turns++) {
      await turn();
    }
    if (this.#waits.size === 0) return 0;
    const ms = isTurnAwaited() || isDelayAwaited() || isBusy() ? 0 : most;
    const left = this.#untilDeadline();
    const time = left < 0 ? ms : Math.min(ms, left);
    return check(
      this.#functions.rts_waiter_wait_here(epoll, wake, this.#ready, BATCH, time, room),
      OPERATION,
    );
  }

  /** For the next call: ms, or -1 for ever. */
  #untilDeadline(): number {
    let nearest = Infinity;
    for (const { deadline } of this.#timed) nearest = Math.min(nearest, deadline);
    this.#returns = nearest;
    if (nearest === Infinity) return -1;
    return Math.min(CALL_MAX, Math.max(0, Math.ceil(nearest - performance.now())));
  }

  /**
   * Ends the waits that had an event, given as pairs of their number and an index, or are late. What
   * follows each of them gets a turn of its own.
   */
  async #settle(events: Uint32Array): Promise<void> {
    const found = new Map<number, number[]>();
    for (let at = 0; at < events.length; at += 2) {
      const wait = this.#waits.get(events[at]!);
      if (wait === undefined) continue; // it was ended meanwhile
      const ready = found.get(events[at]!);
      const fd = wait.fds[events[at + 1]!]!;
      if (ready === undefined) found.set(events[at]!, [fd]);
      else ready.push(fd);
    }
    const now = this.#timed.size > 0 ? performance.now() : 0;
    for (const { number, deadline } of this.#timed) {
      if (deadline <= now && !found.has(number)) found.set(number, []);
    }
    for (const [number, ready] of found) {
      const wait = this.#waits.get(number);
      if (wait === undefined) continue;
      this.#remove(wait);
      wait.resolve(ready);
      if (wait.turns) await turn();
    }
  }

  /** False when it has ended already. */
  #remove(wait: Wait): boolean {
    if (!this.#waits.delete(wait.number)) return false;
    this.#timed.delete(wait);
    this.#functions.rts_waiter_remove(this.#set![0], wait.copies, wait.fds.length);
    return true;
  }

  #fail(error: unknown): void {
    for (const wait of this.#waits.values()) {
      this.#remove(wait);
      wait.reject(error);
    }
  }

  #wake(): void {
    if (this.#set !== undefined) this.#functions.rts_waiter_wake(this.#set[1]);
  }
}

/** The set of waits that all waiters of a thread share. */

import { delay, isDelayAwaited } from "../lib/base/delay.ts";
import { EMFILE, ENFILE, ENOMEM, ENOSPC } from "../lib/base/errno.ts";
import { RuntsError } from "../lib/base/errors.ts";
import { isTurnAwaited, turn } from "../lib/base/turn.ts";
import { check, holding, ints, outside } from "./call.ts";
import { furtherFunctions, type Library } from "./library.ts";
import { look, OPERATION, pollBuffer, POLLIN } from "./poll.ts";
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

/** A descriptor that is waited for again and again. Its disposal ends no wait that is under way. */
export interface Watch extends Disposable {
  /**
   * Whether anything has come since the last wait ended, or the other side has gone; false at the timeout. What
   * had come before must have been read: it is not told of again.
   */
  wait(options?: Omit<WaitOptions, "events">): Promise<boolean>;
}

interface Wait {
  readonly number: number;
  readonly fds: readonly number[];
  /** What stands for them in the set; undefined for a watch, whose copy stays there. */
  readonly copies: Int32Array<ArrayBuffer> | undefined;
  /** As performance.now() has it, or Infinity. */
  readonly deadline: number;
  readonly turns: boolean;
  readonly resolve: (ready: number[]) => void;
  readonly reject: (reason: unknown) => void;
}

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

/** A watch in the set. */
interface SetWatch extends Watch {
  readonly copies: Int32Array<ArrayBuffer>;
  /** Something has come, and nobody waited for it. */
  isTold: boolean;
}

function deadlineOf(timeoutMs: number): number {
  return timeoutMs < 0 ? Infinity : performance.now() + timeoutMs;
}

/**
 * A set of waits. It keeps two descriptors open from its first long wait on. As long as somebody waits,
 * the process does not end by itself.
 */
export class WaitSet implements AsyncDisposable {
  readonly #library: Library;
  readonly #functions = furtherFunctions(WAITER_SYMBOLS);
  readonly #waits = new Map<number, Wait>();
  readonly #watches = new Map<number, SetWatch>();
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
    const number = this.#number();
    const deadline = deadlineOf(timeoutMs);
    const copies = this.#add(number, fds, events);
    if (copies === undefined) return await this.#lookAgain(fds, events, deadline, signal);
    if (turns) this.#makeRoom(2 * Math.max(...copies) + AHEAD);
    return await this.#until({ number, fds, copies, deadline, turns }, signal);
  }

  /** Undefined for want of descriptors. */
  watch(fd: number): Watch | undefined {
    const number = this.#number();
    const copy = this.#made() < 0
      ? undefined
      : this.#functions.rts_waiter_keep(this.#set![0], fd, number);
    if (copy === undefined || SHORT.includes(-copy)) return undefined;
    const copies = ints([check(copy, OPERATION)]);
    this.#makeRoom(2 * copy + AHEAD);
    const watch: SetWatch = {
      copies,
      isTold: false,
      wait: async ({ timeoutMs = -1, signal } = {}) => {
        signal?.throwIfAborted();
        const isTold = watch.isTold;
        watch.isTold = false;
        if (isTold) return true;
        const deadline = deadlineOf(timeoutMs);
        const wait = { number, fds: [fd], copies: undefined, deadline, turns: true };
        return (await this.#until(wait, signal)).length > 0;
      },
      [Symbol.dispose]: () => this.#forget(number, watch),
    };
    this.#watches.set(number, watch);
    return watch;
  }

  #forget(number: number, { copies }: SetWatch): void {
    if (!this.#watches.delete(number)) return;
    this.#functions.rts_waiter_remove(this.#set![0], copies, copies.length);
  }

  #number(): number {
    return this.#last = (this.#last + 1) >>> 0;
  }

  /** The first event of what is in the set. */
  async #until(
    settled: Omit<Wait, "resolve" | "reject">,
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const { promise, resolve, reject } = Promise.withResolvers<number[]>();
    const wait: Wait = { ...settled, resolve, reject };
    const { number, deadline } = wait;
    this.#waits.set(number, wait);
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
    for (const [number, watch] of this.#watches) this.#forget(number, watch);
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
    let result = this.#made();
    if (this.#set !== undefined) {
      const polled = pollBuffer(fds, events);
      const [epoll] = this.#set;
      result = this.#functions.rts_waiter_add(epoll, polled, fds.length, number, copies);
    }
    if (SHORT.includes(-result)) return undefined;
    check(result, OPERATION);
    return copies;
  }

  /** Makes the set unless it is there; 0 or -errno. */
  #made(): number {
    if (this.#set !== undefined) return 0;
    const set = ints([-1, -1]);
    const result = this.#functions.rts_waiter_make(set);
    if (result === 0) this.#set = [set[0]!, set[1]!];
    return result;
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
   * follows each of them gets a turn of its own; the last one has that before the next events are asked for.
   */
  async #settle(events: Uint32Array): Promise<void> {
    const found = new Map<number, number[]>();
    for (let at = 0; at < events.length; at += 2) {
      const wait = this.#waits.get(events[at]!);
      if (wait === undefined) {
        const watch = this.#watches.get(events[at]!);
        if (watch !== undefined) watch.isTold = true;
        continue; // it was ended meanwhile
      }
      const ready = found.get(events[at]!);
      const fd = wait.fds[events[at + 1]!]!;
      if (ready === undefined) found.set(events[at]!, [fd]);
      else ready.push(fd);
    }
    const now = this.#timed.size > 0 ? performance.now() : 0;
    for (const { number, deadline } of this.#timed) {
      if (deadline <= now && !found.has(number)) found.set(number, []);
    }
    let turns = false;
    for (const [number, ready] of found) {
      if (turns) await turn();
      const wait = this.#waits.get(number);
      turns = wait?.turns === true;
      if (wait === undefined) continue;
      this.#remove(wait);
      wait.resolve(ready);
    }
  }

  /** False when it has ended already. */
  #remove(wait: Wait): boolean {
    if (!this.#waits.delete(wait.number)) return false;
    this.#timed.delete(wait);
    const { copies } = wait;
    if (copies !== undefined) {
      this.#functions.rts_waiter_remove(this.#set![0], copies, wait.fds.length);
    }
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

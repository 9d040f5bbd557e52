/** Packets to and from another process that is a body: replies find their requests, and recorded ends whoever waits for them. */

import { POLLOUT } from "../../ffi/poll.ts";
import type { FileCalls } from "../../ffi/files.ts";
import type { Watch } from "../../ffi/waiter.ts";
import { EBADMSG, EPIPE } from "../base/errno.ts";
import { RuntsError } from "../base/errors.ts";
import {
  decodeEnded,
  decodeFrame,
  decodeReply,
  encodeRequest,
  type Ended,
  type Field,
  type Frame,
  Operation,
  type Reply,
} from "../wire/body.ts";
import type { Packet, PacketCalls } from "../../ffi/monitor.ts";

/** What is needed of the helper library. */
export type Descriptors = Pick<FileCalls, "close" | "awaitFds" | "watchFd">;

/** One request. */
export interface BodyRequest {
  readonly operation: number;
  readonly fields?: readonly Field[];
  readonly texts?: readonly string[];
  /** Behind the texts. */
  readonly bytes?: Uint8Array;
  /** They stay the caller's. */
  readonly fds?: readonly number[];
}

/** Takes what a monitor tells of itself; the descriptors are its to close. */
export interface MonitorEvents {
  ended(end: Ended): void;
  frame(frame: Frame, fds: readonly number[]): void;
}

/** What was said to a request; the descriptors are whoever asked's to close. */
interface BodyAnswer {
  readonly fields: DataView;
  readonly fds: readonly number[];
}

interface Pending {
  readonly resolve: (answer: readonly [Reply, readonly number[]]) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection; it reads only while somebody waits for something, and then keeps the process alive; or always. */
export class BodyConnection implements Disposable {
  readonly #helper: Descriptors;
  readonly #peer: string;
  readonly #calls: PacketCalls;
  readonly #socket: number;
  /** From the first time on that there is nothing to read. */
  #incoming: Watch | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #ends: Ended[] = [];
  /** Whoever waits for a recorded end. */
  #awaiting: Pick<PromiseWithResolvers<void>, "resolve" | "reject"> | undefined;
  #events: MonitorEvents | undefined;
  #last = 0;
  /** The last of what waits for room. */
  #late: Promise<void> | undefined;
  #reading = false;
  #watched = false;
  /** Why nothing can be said any more. */
  #end: RuntsError | undefined;
  readonly #stop = new AbortController();

  /**
   * The socket is the connection's from now on.
   *
   * @param peer what errors call the other side
   */
  constructor(helper: Descriptors, calls: PacketCalls, socket: number, peer: string) {
    this.#peer = peer;
    this.#helper = helper;
    this.#calls = calls;
    this.#socket = socket;
  }

  /** Asks for something; `what` begins the message of a failure. */
  async ask(what: string, request: BodyRequest): Promise<BodyAnswer> {
    const { operation, fields = [], texts = [], bytes, fds = [] } = request;
    const number = this.#last = this.#last % 0xffffffff + 1;
    const { promise, resolve, reject } = Promise.withResolvers<
      readonly [Reply, readonly number[]]
    >();
    this.#pending.set(number, { resolve, reject });
    try {
      await this.#send({ bytes: encodeRequest(operation, number, fields, texts, bytes), fds });
      this.#startReading();
    } catch (error) {
      this.#pending.delete(number);
      throw new RuntsError(what, { cause: error });
    }
    const [reply, got] = await promise.catch((error) => {
      throw new RuntsError(what, { cause: error });
    });
    if (reply.result < 0) throw new RuntsError(what, { errno: -reply.result });
    return { fields: reply.fields, fds: got };
  }

  /** Says something that has no reply. */
  async tell({ operation, fields = [], texts = [], fds = [], bytes }: BodyRequest): Promise<void> {
    await this.#send({ bytes: encodeRequest(operation, 0, fields, texts, bytes), fds });
  }

  /** From now on its end is noticed, whoever waits. */
  watch(): void {
    this.#watched = true;
    this.#startReading();
  }

  /** Hands over whatever the monitor tells, until the connection ends. */
  async listen(events: MonitorEvents): Promise<void> {
    this.#events = events;
    this.#watched = true;
    this.#reading = true;
    try {
      await this.#read();
    } catch (error) {
      this.#close(error);
    }
  }

  /** Aborted at the end, with the reason. */
  get ended(): AbortSignal {
    return this.#stop.signal;
  }

  /** The next recorded end, once the monitor was asked to tell them. */
  async nextEnd(): Promise<Ended> {
    for (;;) {
      const end = this.#ends.shift();
      if (end !== undefined) return end;
      if (this.#end !== undefined) throw this.#end;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#awaiting = { resolve, reject };
      this.#startReading();
      await promise;
    }
  }

  [Symbol.dispose](): void {
    this.#close(new RuntsError(`talk to ${this.#peer}`, { cause: "the connection was closed" }));
  }

  /** In the order of the calls: what finds no room keeps the next ones waiting. */
  async #send(packet: Packet): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    if (this.#late === undefined && this.#calls.send(this.#socket, packet)) return;
    const before = this.#late ?? Promise.resolve();
    const late = this.#late = before.catch(() => {}).then(() => this.#sendLate(packet));
    try {
      await late;
    } finally {
      if (this.#late === late) this.#late = undefined;
    }
  }

  async #sendLate(packet: Packet): Promise<void> {
    for (;;) {
      if (this.#end !== undefined) throw this.#end;
      if (this.#calls.send(this.#socket, packet)) return;
      await this.#helper.awaitFds([this.#socket], { events: POLLOUT, signal: this.#stop.signal });
    }
  }

  #startReading(): void {
    if (this.#reading || this.#end !== undefined) return;
    this.#reading = true;
    this.#read().catch((error) => this.#close(error)).finally(() => this.#reading = false);
  }

  async #read(): Promise<void> {
    while (this.#watched || this.#pending.size > 0 || this.#awaiting !== undefined) {
      const packet = this.#calls.receive(this.#socket);
      if (packet === "eof") throw new RuntsError(`hear from ${this.#peer}`, { errno: EPIPE });
      if (packet !== "again") this.#take(packet);
      else await this.#more();
      if (this.#end !== undefined) return;
    }
  }

  async #more(): Promise<void> {
    this.#incoming ??= this.#helper.watchFd(this.#socket);
    await this.#incoming.wait({ signal: this.#stop.signal });
  }

  #take({ bytes, fds }: Packet): void {
    const reply = decodeReply(bytes);
    if (reply?.request === 0 && this.#events) return tellOf(reply, fds, this.#events);
    if (reply?.operation === Operation.ended && reply.request === 0) {
      this.#ends.push(decodeEnded(reply.fields));
      this.#awaiting?.resolve();
      this.#awaiting = undefined;
      return;
    }
    const pending = reply && this.#pending.get(reply.request);
    if (reply === undefined || pending === undefined) {
      for (const fd of fds) this.#helper.close(fd);
      throw new RuntsError(`hear from ${this.#peer}`, { errno: EBADMSG });
    }
    this.#pending.delete(reply.request);
    pending.resolve([reply, fds]);
  }

  #close(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error instanceof RuntsError
      ? error
      : new RuntsError(`hear from ${this.#peer}`, { cause: error });
    for (const { reject } of this.#pending.values()) reject(this.#end);
    this.#pending.clear();
    this.#awaiting?.reject(this.#end);
    this.#awaiting = undefined;
    this.#stop.abort(this.#end);
    this.#incoming?.[Symbol.dispose]();
    this.#helper.close(this.#socket);
  }
}

function tellOf(
  { operation, fields }: Reply,
  fds: readonly number[],
  events: MonitorEvents,
): void {
  if (operation === Operation.ended) events.ended(decodeEnded(fields));
  else if (operation === Operation.frame) events.frame(decodeFrame(fields), fds);
}

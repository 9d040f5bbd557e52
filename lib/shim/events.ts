/** Telling containerd of events: in order for each task, and again and again until it has said that it has them. */

import { POLLOUT } from "../../ffi/poll.ts";
import { streamCalls } from "../../ffi/streams.ts";
import { delay } from "../base/delay.ts";
import { RuntsError } from "../base/errors.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { type Decoded, type Encodable, encodeMessage, type Message } from "../wire/protobuf.ts";
import { type CREATE, EVENTS, FORWARD, type TIMESTAMP } from "./messages.ts";
import type { PendingEvent, TaskEntry } from "./record.ts";
import { requestFrame, ResponseReader, resultOf } from "./ttrpc.ts";

const SERVICE = "containerd.services.events.ttrpc.v1.Events";
/** How long containerd may take for one event, in ms. */
const TIMEOUT = 5_000;
/** Between two attempts, in ms: first, and at most. */
const PAUSE = 100;
const PAUSE_MAX = 5_000;
const NS = 1_000_000_000n;

type Events = typeof EVENTS;
type Fields<K extends keyof Events> = Events[K][2] extends infer M extends Message ? Encodable<M>
  : never;

/** Now, in ns since 1970. */
export function now(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}

/** A time as messages have it. */
export function timestamp(ns: bigint): Encodable<typeof TIMESTAMP> {
  return { seconds: ns / NS, nanos: Number(ns % NS) };
}

/** An event that is to be told. */
export function makeEvent<K extends keyof Events>(kind: K, fields: Fields<K>): PendingEvent {
  const [topic, name, message] = EVENTS[kind];
  const value = encodeMessage(message as Message, fields as Encodable<Message>);
  return { topic, type: `containerd.events.${name}`, value: value.toBase64(), at: String(now()) };
}

/** What talking to containerd takes. */
type Sockets = Pick<LoadedRuntime, "helper" | "body">;

/** That a task is made. */
export function createdEvent(
  { id, bundle, init: { io: { stdin, stdout, stderr, terminal }, pid } }: TaskEntry,
  { rootfs, checkpoint }: Decoded<typeof CREATE>,
): PendingEvent {
  return makeEvent("create", {
    container_id: id,
    bundle,
    rootfs,
    io: { stdin, stdout, stderr, terminal },
    checkpoint,
    pid,
  });
}

/** A connection to containerd for events; it is made when there is something to tell. */
export class EventsClient {
  readonly #sockets: Sockets;
  readonly #address: string;
  #connection: Promise<Connection> | undefined;

  /** @param address path of a socket */
  constructor(sockets: Sockets, address: string) {
    this.#sockets = sockets;
    this.#address = address;
  }

  /** Tells of one; resolves once containerd has it. */
  async forward(namespace: string, event: PendingEvent): Promise<void> {
    const payload = encodeMessage(FORWARD, {
      envelope: {
        timestamp: timestamp(BigInt(event.at)),
        namespace,
        topic: event.topic,
        event: { type_url: event.type, value: Uint8Array.fromBase64(event.value) },
      },
    });
    try {
      const connection = await (this.#connection ??= Connection.open(this.#sockets, this.#address));
      await connection.call(payload);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then((one) => one.close(), () => {});
  }
}

/** All of it waits where monitors are waited for, too, so that what comes of either is seen to at once. */
class Connection {
  readonly #helper: Sockets["helper"];
  readonly #calls = streamCalls();
  readonly #socket: number;
  readonly #pending = new Map<number, PromiseWithResolvers<void>>();
  readonly #end = new AbortController();
  /** What finds no room keeps the next ones waiting. */
  #sent: Promise<void> = Promise.resolve();
  #last = -1;

  private constructor(helper: Sockets["helper"], socket: number) {
    this.#helper = helper;
    this.#socket = socket;
    this.#calls.open(socket, 0);
    this.#read().catch(() => {}).finally(() => this.close());
  }

  static async open({ helper, body }: Sockets, path: string): Promise<Connection> {
    return new Connection(helper, await body.connect(path));
  }

  async call(payload: Uint8Array): Promise<void> {
    this.#end.signal.throwIfAborted();
    const stream = this.#last += 2;
    const answer = Promise.withResolvers<void>();
    this.#pending.set(stream, answer);
    const timeout = BigInt(TIMEOUT) * 1_000_000n;
    const frame = requestFrame(stream, { service: SERVICE, method: "Forward", payload, timeout });
    const timer = setTimeout(() => answer.reject(late()), TIMEOUT);
    try {
      this.#sent = this.#sent.then(() => this.#send(frame)).catch(() => this.close());
      await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(stream);
    }
  }

  /** Whoever waits for an answer gets none. */
  close(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort(gone());
    for (const { reject } of this.#pending.values()) reject(gone());
    this.#helper.close(this.#socket);
  }

  async #send(frame: Uint8Array): Promise<void> {
    const { signal } = this.#end;
    for (let done = 0; done < frame.length;) {
      signal.throwIfAborted();
      const written = this.#calls.write(this.#socket, frame.subarray(done));
      if (written !== "again") done += written;
      else await this.#helper.awaitFds([this.#socket], { events: POLLOUT, signal });
    }
  }

  async #read(): Promise<void> {
    const { signal } = this.#end;
    const reader = new ResponseReader();
    const bytes = new Uint8Array(4096);
    for (;;) {
      await this.#helper.awaitFds([this.#socket], { signal });
      const length = this.#calls.read(this.#socket, bytes);
      if (length === 0) return;
      if (length === "again") continue;
      for (const [stream, data] of reader.add(bytes.subarray(0, length))) {
        const pending = this.#pending.get(stream);
        try {
          resultOf(data);
          pending?.resolve();
        } catch (error) {
          pending?.reject(error);
        }
      }
    }
  }
}

function late(): RuntsError {
  return new RuntsError(`containerd did not take an event within ${TIMEOUT / 1000} s`);
}

function gone(): RuntsError {
  return new RuntsError("containerd has closed the connection for events");
}

/** The events of one task, which are told one after the other. */
export class Outbox {
  readonly #client: EventsClient;
  readonly #namespace: string;
  readonly #pending: PendingEvent[];
  readonly #told: () => void;
  #work: Promise<void> | undefined;
  #closed = false;

  /**
   * @param pending is kept up to date: what is in there is told
   * @param told called when one has been
   */
  constructor(
    client: EventsClient,
    namespace: string,
    pending: PendingEvent[],
    told: () => void,
  ) {
    this.#client = client;
    this.#namespace = namespace;
    this.#pending = pending;
    this.#told = told;
    this.begin();
  }

  add(event: PendingEvent): void {
    this.#pending.push(event);
    this.begin();
  }

  /** Nothing more is told here. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves once all have been told. */
  async done(): Promise<void> {
    await this.#work;
  }

  /** Tells what is pending. */
  begin(): void {
    if (this.#closed || this.#work !== undefined || this.#pending.length === 0) return;
    this.#work = this.#tell().finally(() => {
      this.#work = undefined;
      this.begin();
    });
  }

  async #tell(): Promise<void> {
    let pause = PAUSE;
    while (this.#pending.length > 0 && !this.#closed) {
      try {
        await this.#client.forward(this.#namespace, this.#pending[0]!);
        if (this.#closed) return;
        this.#pending.shift();
        this.#told();
        pause = PAUSE;
      } catch {
        await delay(pause); // containerd may be away for long
        pause = Math.min(2 * pause, PAUSE_MAX);
      }
    }
  }
}

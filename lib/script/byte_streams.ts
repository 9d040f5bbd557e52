/** Descriptors as streams of bytes. Nothing of it waits in a thread of its own (ffi/waiter.ts). */

import { POLLOUT } from "../../ffi/poll.ts";
import type { StreamCalls } from "../../ffi/streams.ts";
import { turn } from "../base/turn.ts";
import type { OwnHelper } from "../runtime/runtime.ts";

/** Bytes of a chunk, at most. */
const CHUNK = 64 * 1024;
/** After so many bytes everybody else has a turn of the event loop. */
const SHARE = 1024 * 1024;

/** What a stream works with. */
interface Source {
  /** Nothing waits on it (StreamCalls.open). */
  readonly fd: number;
  readonly calls: StreamCalls;
  readonly helper: OwnHelper;
  /** The stream needs the descriptor no longer. */
  release(): void;
}

/**
 * What a program writes, as `Deno.ChildProcess` has it: a stream of bytes. They are read when somebody asks
 * for them; a program that writes more than a pipe holds waits until then.
 */
export class ProcessReadable extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /** @internal */
  constructor(source: UnderlyingByteSource) {
    // The types let no heir choose a stream of bytes.
    super(source as unknown as UnderlyingDefaultSource<Uint8Array<ArrayBuffer>>);
  }

  /** All of it. */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return readAll(this);
  }

  /** All of it. */
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  /** All of it, as UTF-8. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** All of it, as JSON. */
  // deno-lint-ignore no-explicit-any -- as that of a Response
  async json(): Promise<any> {
    return JSON.parse(await this.text());
  }
}

/** All of a stream. An aborted signal cancels it and throws its reason. */
export async function readAll(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const cancel = () => reader.cancel();
  signal?.addEventListener("abort", cancel);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    if (signal?.aborted) await cancel();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      chunks.push(read.value);
      length += read.value.length;
    }
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener("abort", cancel);
    reader.releaseLock();
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** What comes from a descriptor, which is released at its end, and when the stream is cancelled. */
export function readableOf(source: Source): ProcessReadable {
  const { fd, calls, helper } = source;
  const stop = new AbortController();
  let share = SHARE;
  const release = () => {
    if (stop.signal.aborted) return;
    stop.abort();
    source.release();
  };
  /** Number of bytes; undefined once the stream was cancelled. */
  const read = async (view: Uint8Array): Promise<number | undefined> => {
    while (!stop.signal.aborted) {
      const count = calls.read(fd, view);
      if (count !== "again") return count;
      await helper.awaitFds([fd], stop).catch((error) => {
        if (!stop.signal.aborted) throw error;
      });
    }
    return undefined;
  };
  return new ProcessReadable({
    type: "bytes",
    autoAllocateChunkSize: CHUNK,
    async pull(controller) {
      const request = controller.byobRequest!;
      const count = await read(request.view as Uint8Array).catch((error) => {
        release();
        throw error;
      });
      if (count === undefined) return;
      if (count === 0) {
        release();
        controller.close();
      }
      request.respond(count);
      share -= count;
      if (share > 0) return;
      share = SHARE;
      await turn();
    },
    cancel: release,
  });
}

/**
 * What goes to a descriptor: of each chunk as much as there is room for, and the rest when there is. It is
 * released when the stream is closed, after `last` was written, and when it fails.
 */
export function writableOf(source: Source, last = new Uint8Array()): WritableStream<Uint8Array> {
  const { fd, calls, helper } = source;
  let released = false;
  const release = () => {
    if (!released) source.release();
    released = true;
  };
  const write = async (chunk: Uint8Array, signal: AbortSignal) => {
    try {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("the chunk is not a Uint8Array");
      for (let rest = chunk; rest.length > 0;) {
        signal.throwIfAborted();
        const count = calls.write(fd, rest);
        if (count === "again") await helper.awaitFds([fd], { events: POLLOUT, signal });
        else rest = rest.subarray(count);
      }
    } catch (error) {
      release();
      throw error;
    }
  };
  let signal: AbortSignal;
  return new WritableStream({
    start(controller) {
      signal = controller.signal;
    },
    write: (chunk) => write(chunk, signal),
    async close() {
      await write(last, signal);
      release();
    },
    abort: release,
  });
}

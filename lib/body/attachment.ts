/** What is attached to a program's streams by its monitor. */

import { POLLOUT } from "../../ffi/poll.ts";
import { EPIPE } from "../base/errno.ts";
import { RuntsError } from "../base/errors.ts";
import { BodyMax, BodyStream } from "../wire/body.ts";
import type { FileCalls } from "../../ffi/files.ts";
import type { MonitorCalls } from "../../ffi/monitor.ts";

/** Something that a program wrote, or how many bytes of that we were too slow for. */
export type Output =
  | { readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }
  | { readonly lost: bigint };

/** Its disposal is a detach. */
export class Attachment implements Disposable {
  readonly #helper: Pick<FileCalls, "close" | "awaitFds">;
  readonly #calls: MonitorCalls;
  readonly #socket: number;
  readonly #stop = new AbortController();

  /** The socket is the attachment's from now on. */
  constructor(helper: Pick<FileCalls, "close" | "awaitFds">, calls: MonitorCalls, socket: number) {
    this.#helper = helper;
    this.#calls = calls;
    this.#socket = socket;
  }

  /** The next output; undefined when there will be none. A disposal ends the wait with an error. */
  async read(): Promise<Output | undefined> {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const packet = this.#calls.receive(this.#socket);
      if (packet === "eof") return undefined;
      if (packet !== "again") return decodeOutput(packet.bytes);
      await this.#helper.awaitFds([this.#socket], { signal: this.#stop.signal });
    }
  }

  /** What it writes from now on, until it has ended or this is disposed of. */
  async *output(): AsyncGenerator<Output, void> {
    try {
      for (let output; (output = await this.read()) !== undefined;) yield output;
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  /** Input for the program; waits while it takes none. EPIPE when it has gone. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += BodyMax.input) {
      const packet = { bytes: bytes.slice(at, at + BodyMax.input), fds: [] };
      for (;;) {
        this.#stop.signal.throwIfAborted();
        if (this.#calls.send(this.#socket, packet)) break;
        await this.#helper.awaitFds([this.#socket], {
          events: POLLOUT,
          signal: this.#stop.signal,
        });
      }
    }
  }

  /** Detaches; the process goes on. */
  [Symbol.dispose](): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new RuntsError("detach", { errno: EPIPE }));
    this.#helper.close(this.#socket);
  }
}

function decodeOutput(bytes: Uint8Array): Output {
  if (bytes[0] === BodyStream.lost) {
    return { lost: new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1, true) };
  }
  const stream = bytes[0] === BodyStream.stderr ? "stderr" : "stdout";
  return { stream, bytes: bytes.subarray(1) };
}

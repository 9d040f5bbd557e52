/** The standard streams of a process that a monitor holds, as whoever is attached has them. */

import { type MonitorCalls, monitorCalls } from "../../ffi/monitor.ts";
import type { FileCalls } from "../../ffi/files.ts";
import { BodyMax, BodyStream } from "../wire/body.ts";

/** What a process has written; `lost`: so many bytes of it, because nobody took them in time. */
export type Output =
  | { readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }
  | { readonly stream: "lost"; readonly count: bigint };

const POLLOUT = 4;

/** One attachment. Disposing of it is the detach; the process goes on. */
export class AttachedStreams implements Disposable {
  readonly #helper: Pick<FileCalls, "close" | "awaitFds">;
  readonly #calls: MonitorCalls = monitorCalls();
  readonly #stop = new AbortController();
  #socket: number;

  /** Takes over the socket that the monitor gave. */
  constructor(helper: Pick<FileCalls, "close" | "awaitFds">, socket: number) {
    this.#helper = helper;
    this.#socket = socket;
  }

  /** What is written from now on, until the process has ended or this was detached. */
  async *output(): AsyncGenerator<Output, void> {
    while (this.#socket >= 0) {
      const packet = this.#calls.receive(this.#socket);
      if (packet === "eof") return;
      if (packet === "again") await this.#ready(undefined);
      else yield outputOf(packet.bytes);
    }
  }

  /** Writes to its input; returns once the monitor has taken it. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.#socket >= 0;) {
      const part = bytes.slice(at, at + BodyMax.input);
      if (this.#calls.send(this.#socket, { bytes: part, fds: [] })) at += part.length;
      else await this.#ready(POLLOUT);
    }
  }

  [Symbol.dispose](): void {
    if (this.#socket < 0) return;
    this.#stop.abort();
    this.#helper.close(this.#socket);
    this.#socket = -1;
  }

  async #ready(events: number | undefined): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#helper.awaitFds([this.#socket], { signal, ...(events && { events }) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function outputOf(packet: Uint8Array): Output {
  const bytes = packet.subarray(1);
  if (packet[0] !== BodyStream.lost) {
    return { stream: packet[0] === BodyStream.stderr ? "stderr" : "stdout", bytes };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { stream: "lost", count: view.getBigUint64(0, true) };
}

/** Output that comes in packets, as two streams of bytes. */

import type { Output } from "../body/attachment.ts";
import { ProcessReadable } from "./byte_streams.ts";

/** So much, in bytes, is kept of a stream that nobody reads while somebody reads the other one. */
const KEPT = 1024 * 1024;

type Name = "stdout" | "stderr";

/** What of a stream has come, and nobody has taken yet. */
class Waiting {
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;
  /** Nobody is going to take more. */
  cancelled = false;

  /** False when there is no room. */
  put(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.cancelled) return true;
    if (this.#length > 0 && this.#length + bytes.length > KEPT) return false;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    return true;
  }

  take(): Uint8Array<ArrayBuffer> | undefined {
    const bytes = this.#chunks.shift();
    this.#length -= bytes?.length ?? 0;
    return bytes;
  }
}

/**
 * Packets are taken when somebody reads, and not before, so that whoever sends them knows how far behind the
 * reader is.
 */
export class SplitOutput {
  readonly stdout = this.#stream("stdout");
  readonly stderr = this.#stream("stderr");
  /** Bytes that came and could not be kept, here or before. */
  lost = 0n;
  readonly #packets: AsyncIterator<Output, void>;
  readonly #waiting = { stdout: new Waiting(), stderr: new Waiting() };
  #taking: Promise<boolean> | undefined;

  constructor(packets: AsyncIterator<Output, void>) {
    this.#packets = packets;
  }

  #stream(name: Name): ProcessReadable {
    return new ProcessReadable({
      type: "bytes",
      pull: async (controller) => {
        const bytes = await this.#next(name);
        if (bytes !== undefined) return controller.enqueue(bytes);
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel: () => {
        this.#waiting[name].cancelled = true;
        while (this.#waiting[name].take());
      },
    });
  }

  /** Undefined at the end. */
  async #next(name: Name): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const bytes = this.#waiting[name].take();
      if (bytes !== undefined || this.#waiting[name].cancelled) return bytes;
      // One packet for all who wait: it may be for either of them.
      const taking = this.#taking ??= this.#take().finally(() => this.#taking = undefined);
      if (!await taking) return this.#waiting[name].take();
    }
  }

  /** False at the end. */
  async #take(): Promise<boolean> {
    const { value, done } = await this.#packets.next();
    if (done || !value) return false;
    if ("lost" in value) this.lost += value.lost;
    else if (!this.#waiting[value.stream].put(value.bytes as Uint8Array<ArrayBuffer>)) {
      this.lost += BigInt(value.bytes.length);
    }
    return true;
  }
}

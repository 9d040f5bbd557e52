/** A terminal of a system container as a pair of streams. */

import type { Attachment } from "../body/attachment.ts";
import type { TerminalSize } from "./terminal.ts";

/** What is taken, until it is left. */
interface Taken extends Disposable {
  readonly number: number;
  readonly streams: Attachment;
  resize(columns: number, rows: number): Promise<void>;
}

/** The console of a system container, or one of its terminals. It is left by `using`, or `dispose`. */
export class SystemTerminal implements Disposable {
  /** 0: the console. */
  readonly number: number;
  /** What it shows: first what it has shown last. It ends when it is left, and with the container. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is typed. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #taken: Taken;

  /** @internal */
  constructor(taken: Taken) {
    this.#taken = taken;
    this.number = taken.number;
    this.readable = ReadableStream.from(shown(taken.streams));
    this.writable = new WritableStream({ write: (bytes) => taken.streams.write(bytes) });
  }

  /** Gives it another size. */
  resize({ columns, rows }: TerminalSize): Promise<void> {
    return this.#taken.resize(columns, rows);
  }

  /** Leaves it. */
  [Symbol.dispose](): void {
    this.#taken[Symbol.dispose]();
  }
}

async function* shown(streams: Attachment): AsyncGenerator<Uint8Array, void> {
  for await (const output of streams.output()) {
    if ("bytes" in output) yield output.bytes;
  }
}

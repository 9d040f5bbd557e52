/** The terminal of a process as a pair of streams. */

import { streamCalls } from "../../ffi/streams.ts";
import { RuntsError } from "../base/errors.ts";
import type { OwnHelper } from "../runtime/runtime.ts";
import { type ProcessReadable, readableOf, writableOf } from "./byte_streams.ts";

/** A size in characters, as `Deno.consoleSize` gives it. */
export interface TerminalSize {
  /** Characters of a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
}

/** What the terminal's own line discipline takes for the end of input: Ctrl-D. */
export const END_OF_INPUT = new Uint8Array([4]);

/**
 * The terminal of a process. Its mode is what the process makes of it; at first it echoes, edits lines and
 * writes `\r\n` for `\n`, as any terminal.
 */
export class Terminal {
  /** What the process writes, and the echo of what is typed. It ends when nobody has the terminal open. */
  readonly readable: ProcessReadable;
  /** What is typed. Closing it types the end of input, Ctrl-D. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #helper: OwnHelper;
  #master: number;

  /**
   * Takes over the descriptor.
   * @internal
   */
  constructor(helper: OwnHelper, master: number) {
    this.#helper = helper;
    this.#master = master;
    const calls = streamCalls();
    calls.open(master, 0);
    const source = { fd: master, helper, calls };
    this.readable = readableOf({ ...source, release: () => this.#close() });
    const write = (_fd: number, bytes: Uint8Array) =>
      calls.write(this.#open("write to the terminal"), bytes);
    const typing = { ...source, calls: { ...calls, write }, release: () => {} };
    this.writable = writableOf(typing, END_OF_INPUT);
  }

  /** Gives it another size; the process is told by SIGWINCH. */
  // deno-lint-ignore require-await
  async resize({ columns, rows }: TerminalSize): Promise<void> {
    const master = this.#open("resize the terminal");
    this.#helper.setWindowSize(master, { rows, cols: columns });
  }

  #open(operation: string): number {
    if (this.#master >= 0) return this.#master;
    throw new RuntsError(operation, { cause: "it is closed" });
  }

  #close(): void {
    this.#helper.close(this.#master);
    this.#master = -1;
  }
}

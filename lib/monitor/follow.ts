/**
 * Reading the lines of a log, and following it while it is written and put aside.
 *
 * Whoever follows looks again and again, less often the longer nothing comes. Watching by inotify(7)
 * would take one of the 128 instances that a user has for each reader, tell of every write of a log
 * that is written fast, and tell of nothing on a network file system.
 */

import { delay } from "../base/delay.ts";
import { type Line, LineSplitter, type LogFile, openNewer } from "./log_files.ts";

/** Pauses between two looks, in ms: the first, which doubles while nothing comes, and the longest. */
const PAUSE = 5;
const PAUSE_MAX = 200;

/** What of a log is read. */
export interface LogOptions {
  /** The last lines alone, that many. A line that was written in parts counts as one. */
  readonly tail?: number;
  /** What was written from then on; the form must have times. */
  readonly since?: Date;
  /** Go on with what is written from now on. */
  readonly follow?: boolean;
  /** Ends the reading, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The lines of the files of a log. Of files that were last written before `since` none is given.
 *
 * @param endsLine for `tail`: whether a line is one by itself, or the last part of one
 * @param end whoever follows gives what was written up to this moment, and ends
 */
export async function* readLines(
  path: string,
  options: LogOptions,
  endsLine: (line: Line) => boolean,
  end?: Promise<unknown>,
): AsyncGenerator<Line> {
  using reader = new Reader(path, options);
  await reader.open(endsLine);
  yield* reader.lines(end);
}

class Reader implements Disposable {
  readonly #path: string;
  readonly #options: LogOptions;
  readonly #splitter = new LineSplitter();
  /** What is to be read, the oldest first; the first of them is being read. */
  #files: LogFile[] = [];

  constructor(path: string, options: LogOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Goes to the first line that is wanted. */
  async open(endsLine: (line: Line) => boolean): Promise<void> {
    const { since, tail } = this.#options;
    this.#files = await openNewer(this.#path);
    if (since !== undefined) {
      while (this.#files.length > 1 && await this.#files[0]!.modified() < since.getTime()) {
        this.#leaveFirst();
      }
    }
    if (tail !== undefined) await this.#skipToLast(tail, endsLine);
  }

  async *lines(end: Promise<unknown> | undefined): AsyncGenerator<Line> {
    const { follow = false, signal } = this.#options;
    let ended = false;
    end?.then(() => ended = true, () => ended = true);
    let left = follow ? Infinity : await this.#size();
    let pause = PAUSE;
    for (;;) {
      signal?.throwIfAborted();
      // What is written after this does not count any more.
      const last = !follow || ended;
      const bytes = await this.#files[0]?.read(left) ?? new Uint8Array();
      left -= bytes.length;
      yield* this.#splitter.split(bytes);
      if (bytes.length > 0) {
        pause = PAUSE;
      } else if (this.#files.length > 1) {
        yield* this.#splitter.rest();
        this.#leaveFirst();
      } else if (left === 0 || !await this.#goOn()) {
        if (last) return yield* this.#splitter.rest();
        await delay(pause, signal);
        pause = Math.min(pause * 2, PAUSE_MAX);
      }
    }
  }

  [Symbol.dispose](): void {
    while (this.#files.length > 0) this.#leaveFirst();
  }

  #leaveFirst(): void {
    this.#files.shift()![Symbol.dispose]();
  }

  /** Whether there is more: the file was cut, or others have come after it. */
  async #goOn(): Promise<boolean> {
    const [current] = this.#files;
    if (await current?.rewindIfCut()) {
      this.#splitter.drop(); // of a line that is no more
      return true;
    }
    // Once there is a newer one, what the current one holds is all; it is looked at once more.
    const newer = await openNewer(this.#path, current);
    this.#files.push(...newer);
    return newer.length > 0;
  }

  async #size(): Promise<number> {
    const sizes = await Promise.all(this.#files.map((file) => file.size()));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async #skipToLast(tail: number, endsLine: (line: Line) => boolean): Promise<void> {
    let found = 0;
    let newest = true;
    for (let index = this.#files.length - 1; index >= 0; index--) {
      const file = this.#files[index]!;
      for await (const line of file.backwards()) {
        const counts = newest || endsLine(line);
        newest = false;
        if (counts && found++ === tail) {
          await file.seek(line.at + line.bytes.length + (line.ended ? 1 : 0));
          for (let older = 0; older < index; older++) this.#leaveFirst();
          return;
        }
      }
      await file.seek(0);
    }
  }
}

/**
 * The files of a log: PATH is being written, PATH.1 was before it, and so on. Whoever writes renames
 * the oldest first, and makes the new PATH last.
 */

import { ENOENT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;
/** No log has as many files. */
const FILES_MAX = 10_000;

/** A line of a file. */
export interface Line {
  /** Without its newline. */
  readonly bytes: Uint8Array;
  /** Whether there was one. */
  readonly ended: boolean;
}

/** A line, and where in the file it begins, in bytes. */
interface PlacedLine extends Line {
  readonly at: number;
}

/** A file of a log that is being read. It stays open, whatever becomes of its name. */
export class LogFile implements Disposable {
  readonly #file: Deno.FsFile;
  #offset = 0;

  constructor(file: Deno.FsFile, readonly inode: number) {
    this.#file = file;
  }

  /** The next bytes, at most that many; none at the end of what is there. */
  async read(most = CHUNK): Promise<Uint8Array> {
    const buffer = new Uint8Array(Math.min(most, CHUNK));
    const count = await this.#file.read(buffer) ?? 0;
    this.#offset += count;
    return buffer.subarray(0, count);
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  /** When it was last written to, in ms since 1970. */
  async modified(): Promise<number> {
    return (await this.#file.stat()).mtime?.getTime() ?? Infinity;
  }

  /** Goes to what is to be read next. */
  async seek(offset: number): Promise<void> {
    this.#offset = await this.#file.seek(offset, Deno.SeekMode.Start);
  }

  /** Begins anew in a file that somebody has cut; false in any other. */
  async rewindIfCut(): Promise<boolean> {
    if (await this.size() >= this.#offset) return false;
    await this.seek(0);
    return true;
  }

  /** The lines from the end to the beginning. */
  async *backwards(): AsyncGenerator<PlacedLine> {
    let at = await this.size();
    let ended = false;
    let bytes: Uint8Array = new Uint8Array();
    for (;;) {
      const newline = bytes.lastIndexOf(NEWLINE);
      if (newline >= 0 || at === 0) {
        const line = bytes.subarray(newline + 1);
        if (line.length > 0 || ended) yield { at: at + newline + 1, bytes: line, ended };
        if (newline < 0) return;
        bytes = bytes.subarray(0, newline);
        ended = true;
        continue;
      }
      const before = Math.max(0, at - CHUNK);
      await this.seek(before);
      bytes = joined([await this.#readWhole(at - before), bytes]);
      at = before;
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #readWhole(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0;) {
      const part = await this.read(left);
      if (part.length === 0) break; // somebody has cut it
      parts.push(part);
      left -= part.length;
    }
    return joined(parts);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Makes lines of bytes as they come. */
export class LineSplitter {
  #parts: Uint8Array[] = [];

  /** The lines that these bytes bring to their end. */
  *split(bytes: Uint8Array): Generator<Line> {
    let from = 0;
    for (let end; (end = bytes.indexOf(NEWLINE, from)) >= 0; from = end + 1) {
      const line = bytes.subarray(from, end);
      const parts = this.#parts.splice(0);
      yield { bytes: parts.length === 0 ? line : joined([...parts, line]), ended: true };
    }
    if (from < bytes.length) this.#parts.push(bytes.slice(from));
  }

  /** What has no newline, if there is any. */
  *rest(): Generator<Line> {
    const parts = this.#parts.splice(0);
    if (parts.length > 0) yield { bytes: joined(parts), ended: false };
  }

  /** Forgets what has no newline. */
  drop(): void {
    this.#parts = [];
  }
}

/**
 * Opens the files that are newer than one, the oldest first; all of them without one. They are opened from
 * the newest on: a file that is renamed meanwhile is met again, and none is missed.
 */
export async function openNewer(path: string, inode?: number): Promise<LogFile[]> {
  const files: LogFile[] = [];
  try {
    let missing = 0;
    // While they are renamed, one name is free.
    for (let number = 0; number < FILES_MAX && missing < 2; number++) {
      const file = await openIfAny(number === 0 ? path : `${path}.${number}`);
      missing = file === undefined ? missing + 1 : 0;
      if (file === undefined) continue;
      const isKnown = files.some((one) => one.inode === file.inode);
      if (isKnown || file.inode === inode) file[Symbol.dispose]();
      if (file.inode === inode) break;
      if (!isKnown) files.unshift(file);
    }
    return files;
  } catch (cause) {
    for (const file of files) file[Symbol.dispose]();
    throw new RuntsError(`read log ${quote(path)}`, { cause });
  }
}

async function openIfAny(path: string): Promise<LogFile | undefined> {
  try {
    // Opening a fifo would wait for a writer.
    if (!(await Deno.stat(path)).isFile) throw new Error(`${quote(path)} is not a regular file`);
    const file = await Deno.open(path);
    return new LogFile(file, (await file.stat()).ino ?? 0);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return undefined;
    throw error;
  }
}

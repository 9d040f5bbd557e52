/**
 * The files of a log: PATH is being written, PATH.1 was before it, and so on. Whoever writes renames
 * the oldest first, and makes the new PATH last.
 */

import { delay } from "../base/delay.ts";
import { ENOENT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;
/** So many names without a file are behind the last one; while files are renamed, one may be free. */
const FREE_NAMES = 3;
/** How long the renaming of a file takes, in ms. */
const RENAMING = 1;

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
 * Opens the files that are newer than one, the oldest first; all of them without one. Meanwhile they may be
 * renamed, and that in the midst of it: each is looked for beside the one before it.
 */
export async function openNewer(path: string, current?: LogFile): Promise<LogFile[]> {
  const files: LogFile[] = [];
  try {
    let last = current && { file: current, number: 0 };
    for (;;) {
      const next = last === undefined
        ? await openOldest(path, -Infinity)
        : await openNext(path, last);
      if (next === undefined) return files;
      files.push(next.file);
      last = next;
    }
  } catch (cause) {
    for (const file of files) file[Symbol.dispose]();
    throw new RuntsError(`read log ${quote(path)}`, { cause });
  }
}

/** An open file, and the number of its name when that was looked at. It never gets a lower one. */
interface Numbered {
  readonly file: LogFile;
  readonly number: number;
}

function nameOf(path: string, number: number): string {
  return number === 0 ? path : `${path}.${number}`;
}

/** The one that was begun when this one was put aside. */
async function openNext(path: string, { file, number }: Numbered): Promise<Numbered | undefined> {
  for (let from = number;;) {
    const at = await numberOf(path, file.inode, from);
    // It was removed: what was written to later is newer.
    if (at === undefined) return await openOldest(path, await file.modified());
    if (at === 0) return undefined;
    const next = await openIfAny(nameOf(path, at - 1));
    // Of two neighbours the older one is renamed first.
    const isNeighbour = await inodeAt(nameOf(path, at)) === file.inode;
    if (isNeighbour && next !== undefined) return { file: next, number: at - 1 };
    next?.[Symbol.dispose]();
    if (isNeighbour && at === 1) return undefined; // it is not there yet
    if (isNeighbour) await delay(RENAMING);
    from = at;
  }
}

/** The one that was put aside first, of those that were written to after a time (ms since 1970). */
async function openOldest(path: string, after: number): Promise<Numbered | undefined> {
  const found: number[] = [];
  let free = 0;
  for (let number = 0; free < FREE_NAMES; number++) {
    const modified = await modifiedAt(nameOf(path, number));
    free = modified === undefined ? free + 1 : 0;
    if (modified !== undefined && modified > after) found.push(number);
  }
  const number = found.at(-1);
  if (number === undefined) return undefined;
  const file = await openIfAny(nameOf(path, number));
  // The oldest is renamed first: another one may have its name now.
  const isOldest = (await modifiedAt(nameOf(path, number + 1)) ?? -Infinity) <= after;
  if (file !== undefined && isOldest) return { file, number };
  file?.[Symbol.dispose]();
  return await openOldest(path, after);
}

async function numberOf(path: string, inode: number, from: number): Promise<number | undefined> {
  let free = 0;
  for (let number = from; free < FREE_NAMES; number++) {
    const found = await inodeAt(nameOf(path, number));
    if (found === inode) return number;
    free = found === undefined ? free + 1 : 0;
  }
  return undefined;
}

async function inodeAt(path: string): Promise<number | undefined> {
  return (await statIfAny(path))?.ino ?? undefined;
}

async function modifiedAt(path: string): Promise<number | undefined> {
  return (await statIfAny(path))?.mtime?.getTime();
}

async function statIfAny(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return undefined;
    throw error;
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

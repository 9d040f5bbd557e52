/** Documents that a caller names: files, or pipes and devices as `/dev/stdin` and `<(…)` are. */

import { EACCES } from "./errno.ts";
import { errnoOf } from "./errors.ts";

/** How what a caller names is looked at and read. */
export interface CallersFiles {
  /** Reads UTF-8 text. Throws what is wrong, and waits for nobody who is not there. */
  readonly read: (file: string) => string | Promise<string>;
  /** What is at a path, a symlink followed. Throws what Deno does. */
  readonly stat: (path: string) => Deno.FileInfo | Promise<Deno.FileInfo>;
  /** Reads the caller's standard input to its end; absent where that is the one of this process. */
  readonly readInput?: () => Promise<string>;
}

/** No document is as long; a device may have no end. */
export const DOCUMENT_MAX = 64 * 1024 * 1024;
/** How long a fifo may be without a writer, which may just be starting, in ms. */
export const WRITER_TIMEOUT = 1_000;
const CHUNK = 64 * 1024;

/** For a process that has nothing else to do: the quickest way, which holds the event loop up. */
export const AT_ONCE: CallersFiles = { read: readDocumentFile, stat: Deno.statSync };

function readDocumentFile(file: string): string {
  const { isFile, isFifo, size } = Deno.statSync(file);
  if (!isFile) return decodeDocument(readStream(file, isFifo === true));
  if (size > DOCUMENT_MAX) throw tooLong();
  const text = Deno.readTextFileSync(file);
  // What stands for bytes that are no text may stand in the file itself. A decoder takes long to
  // be there, so few commands use one.
  if (!text.includes("\ufffd")) return text.startsWith("\ufeff") ? text.slice(1) : text;
  return decodeDocument([Deno.readFileSync(file)]);
}

function readStream(file: string, isFifo: boolean): Uint8Array[] {
  using stream = isFifo ? openFifo(file) : Deno.openSync(file);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const end = performance.now() + WRITER_TIMEOUT;
  for (;;) {
    const chunk = new Uint8Array(CHUNK);
    const count = stream.readSync(chunk) ?? 0;
    if (count > 0) {
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (length > DOCUMENT_MAX) throw tooLong();
    } else if (length > 0 || !isFifo) return chunks;
    else if (performance.now() > end) throw noWriter();
    else sleep(5);
  }
}

/** Waits for no writer: who opens a fifo for both has one. Those that wait for a reader go on. */
function openFifo(file: string): Deno.FsFile {
  try {
    using _both = Deno.openSync(file, { read: true, write: true });
    return Deno.openSync(file);
  } catch (error) {
    if (errnoOf(error) !== EACCES) throw error;
    throw new Error("it is a fifo that this user may not read and write");
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The text of what was read. */
export function decodeDocument(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") +
      decoder.decode();
  } catch {
    throw new Error("not UTF-8 text");
  }
}

/** The error for what is longer than {@linkcode DOCUMENT_MAX}. */
export function tooLong(): Error {
  return new Error(`it is longer than ${DOCUMENT_MAX / 1024 / 1024} MiB`);
}

/** The error for a fifo without a writer. */
export function noWriter(): Error {
  return new Error("it is a fifo that nobody writes to");
}

/** Reading documents that a caller names without holding anybody up, whatever they are. */

import { O_NONBLOCK } from "../base/linux.ts";
import {
  decodeDocument,
  DOCUMENT_MAX,
  noWriter,
  tooLong,
  WRITER_TIMEOUT,
} from "../base/document_file.ts";
import { EAGAIN } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import { delay } from "../base/delay.ts";
import type { OwnHelper } from "./runtime.ts";

const CHUNK = 64 * 1024;
/** Between two looks for a writer, in ms. */
const PAUSE = 5;

/**
 * Reads UTF-8 text; a file system that does not answer costs a thread.
 *
 * @param signal aborted when nobody wants it any more: what writers have not said is not waited for
 */
export async function readDocumentLater(
  helper: OwnHelper,
  file: string,
  signal?: AbortSignal,
): Promise<string> {
  const { isFile, isFifo, size } = await Deno.stat(file);
  if (isFile) {
    if (size > DOCUMENT_MAX) throw tooLong();
    return decodeDocument([await Deno.readFile(file)]);
  }
  const stream = helper.open(file, O_NONBLOCK);
  try {
    return decodeDocument(await readStream(helper, stream, isFifo === true, signal));
  } finally {
    helper.close(stream);
  }
}

/** The same of a pipe that is open, without waiting (O_NONBLOCK), and has its writers. */
export async function readPipeLater(
  helper: OwnHelper,
  pipe: number,
  signal: AbortSignal,
): Promise<string> {
  return decodeDocument(await readStream(helper, pipe, false, signal));
}

/** @param comes whether a writer may be yet to come */
async function readStream(
  helper: OwnHelper,
  stream: number,
  comes: boolean,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const end = performance.now() + WRITER_TIMEOUT;
  for (;;) {
    const chunk = readChunk(helper, stream);
    if (chunk === "again") await helper.awaitFds([stream], { ...(signal && { signal }) });
    else if (chunk !== "eof") {
      chunks.push(chunk);
      length += chunk.length;
      if (length > DOCUMENT_MAX) throw tooLong();
    } else if (length > 0 || !comes) return chunks;
    else if (performance.now() > end) throw noWriter();
    else await delay(PAUSE, signal);
  }
}

/** `again`: there is a writer who has written nothing yet. */
function readChunk(helper: OwnHelper, stream: number): Uint8Array | "eof" | "again" {
  const bytes = new Uint8Array(CHUNK);
  try {
    const count = helper.read(stream, bytes);
    return count === 0 ? "eof" : bytes.subarray(0, count);
  } catch (error) {
    if (errnoOf(error) === EAGAIN) return "again";
    throw error;
  }
}

/** Documents on the standard input. */

import { decodeDocument, DOCUMENT_MAX, tooLong } from "../base/document_file.ts";

/** Reads what is on the standard input. */
export async function readStandardInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    length += chunk.length;
    if (length > DOCUMENT_MAX) throw tooLong();
    chunks.push(chunk);
  }
  return decodeDocument(chunks);
}

/** All bytes of it, at once. */
export function allInput(): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const bytes = new Uint8Array(65536);
  for (let read; (read = Deno.stdin.readSync(bytes)) !== null; length += read) {
    if (length > DOCUMENT_MAX) throw tooLong();
    chunks.push(bytes.slice(0, read));
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

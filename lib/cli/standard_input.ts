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

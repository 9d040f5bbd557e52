/** A filter that the configuration brings along as a program. */

import { RuntsError } from "../base/errors.ts";
import { INSTRUCTION_SIZE } from "./instructions.ts";

/** The program of an annotation's base64. Throws RuntsError that names the annotation. */
export function decodeAnnotation(name: string, text: string): Uint8Array {
  const configPath = `annotations[${JSON.stringify(name)}]`;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text);
  } catch {
    throw new RuntsError("the seccomp filter is not base64", { configPath });
  }
  if (bytes.length === 0 || bytes.length % INSTRUCTION_SIZE !== 0) {
    throw new RuntsError(
      `a seccomp filter of ${bytes.length} bytes is not a number of instructions`,
      { configPath },
    );
  }
  return bytes;
}

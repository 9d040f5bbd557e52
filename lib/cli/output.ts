/** Writing to the standard output. */

import { encodeText } from "../base/bytes.ts";
import { RuntsError } from "../base/errors.ts";

/** The exit code of a program that SIGPIPE ended, as a shell has it. */
const BROKEN_PIPE = 141;

/** Writes all of a text; throws RuntsError when the standard output does not take it. */
export function print(text: string): void {
  let bytes = encodeText(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  } catch (cause) {
    const exitCode = cause instanceof Deno.errors.BrokenPipe ? BROKEN_PIPE : undefined;
    throw new RuntsError("write to the standard output", { cause, exitCode });
  }
}

/** Writing to the standard output. */

import { encodeText } from "../base/bytes.ts";
import { RuntsError } from "../base/errors.ts";
import type { Output } from "./types.ts";

/** The exit code of a program that SIGPIPE ended, as a shell has it. */
const BROKEN_PIPE = 141;

/** Writes all of a text; throws RuntsError when the standard output does not take it. */
function print(text: string): void {
  write(Deno.stdout, "standard output", text);
}

/** The same to the standard error. */
export function printError(text: string): void {
  write(Deno.stderr, "standard error", text);
}

/** The streams of this process. A full disk must not make a command fail that would succeed without a log. */
export const OWN_OUTPUT: Output = {
  write: (to, text) => to === "stdout" ? print(text) : printError(text),
  print,
  printError(text) {
    try {
      Deno.stderr.writeSync(encodeText(text));
    } catch {
      // there is no other place to tell it
    }
  },
  columns: () => Promise.resolve(Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined),
};

/** The same of bytes. */
export function printBytes(to: "stdout" | "stderr", bytes: Uint8Array): void {
  if (to === "stdout") writeBytes(Deno.stdout, "standard output", bytes);
  else writeBytes(Deno.stderr, "standard error", bytes);
}

interface Writer {
  writeSync(bytes: Uint8Array): number;
}

function write(to: Writer, name: string, text: string): void {
  writeBytes(to, name, encodeText(text));
}

function writeBytes(to: Writer, name: string, bytes: Uint8Array): void {
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (cause) {
    const exitCode = cause instanceof Deno.errors.BrokenPipe ? BROKEN_PIPE : undefined;
    throw new RuntsError(`write to the ${name}`, { cause, exitCode });
  }
}

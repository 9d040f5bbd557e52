/** What a good answer to bad input is. */

import { assert } from "@std/assert";
import { isRuntsError } from "../../../lib/base/errors.ts";

/** Faults of the program, not of its input. */
const FAULTS = [TypeError, ReferenceError, RangeError, URIError, EvalError];

/**
 * Checks that an error is one of ours, in one line, with no fault of the program below it. Gives the
 * message without what differs from input to input.
 *
 * @param longest characters of a message
 */
export function checkError(error: unknown, longest = 3000): string {
  assert(isRuntsError(error), `not a RuntsError: ${Deno.inspect(error)}`);
  const { message } = error;
  for (let cause = error.data.cause; cause instanceof Error; cause = cause.cause) {
    const fault = cause;
    assert(!FAULTS.some((kind) => fault instanceof kind), Deno.inspect(error));
  }
  assert(isOneLine(message), `not one line: ${JSON.stringify(message)}`);
  assert(!/unexpected failure/.test(message), message);
  assert(message.length <= longest, `a message of ${message.length} characters`);
  assert(message.isWellFormed(), `a half character: ${JSON.stringify(message)}`);
  return shapeOf(message);
}

/** Whether a text can be printed in one line, and has no value in it that is none. */
export function isOneLine(text: string): boolean {
  return !/[\p{Cc}\u2028\u2029]|\bundefined\b|\bNaN\b|\[object /u.test(text);
}

/** `mounts[3]: "x" is not …` → `mounts[0]: "" is not …`. */
export function shapeOf(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"?/g, '""').replace(/\d+/g, "0").slice(0, 300);
}

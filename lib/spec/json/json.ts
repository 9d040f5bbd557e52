/** JSON as config.json has it: exact numbers, faults with line and column, no key twice. */

import { quote, RuntsError } from "../../base/errors.ts";
import { DEPTH_MAX, type Exact, parseExact } from "./exact.ts";
import { scanJson } from "./scan.ts";

/**
 * Parses JSON text. Integers beyond 2^53 become bigints, properties that are null are left out.
 * Throws RuntsError that names `file`, line and column of what is malformed or doubled.
 */
export function parseJson(text: string, file: string): unknown {
  let exact: Exact;
  try {
    exact = parseExact(text);
  } catch (error) {
    const cause = error instanceof RangeError ? `nested deeper than ${DEPTH_MAX} levels` : error;
    if (cause === error) scanJson(text, file);
    throw new RuntsError(`parse ${quote(file)}`, { cause });
  }
  if (exact.keys !== countKeys(text)) scanJson(text, file);
  return exact.value;
}

/** JSON text of a value that may hold bigints. */
export function formatJson(value: unknown, indent?: string): string {
  return JSON.stringify(value, (_key, item) => typeof item === "bigint" ? raw(item) : item, indent);
}

/** JSON.rawJSON, which the library's types do not have yet. */
function raw(number: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(number));
}

/**
 * At least the number of keys in the text, without reading its grammar: each is followed by a
 * colon, and so is nothing else but a string that begins with one.
 */
function countKeys(text: string): number {
  // Where no backslash is escaped before a quote, a backslash before one means that it is escaped.
  const pattern = text.includes('\\\\"') ? /"\s*:/g : /(?<!\\)"\s*:/g;
  return text.match(pattern)?.length ?? 0;
}

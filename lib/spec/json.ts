/** JSON as config.json has it: exact numbers, faults with line and column, no key twice. */

import { quote, RuntsError } from "../errors.ts";
import { scanJson } from "./json_scan.ts";

/** Deepest nesting of arrays and objects; config.json needs 8. */
const DEPTH_MAX = 100;

/**
 * Parses JSON text. Integers beyond 2^53 become bigints, properties that are null are left out.
 * Throws RuntsError that names `file`, line and column of what is malformed or doubled.
 */
export function parseJson(text: string, file: string): unknown {
  let value: unknown;
  try {
    // Rounding 2^64 - 1, which means infinity, would make another limit of it.
    value = /[:[,]\s*-?\d{16}/.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(file);
    scanJson(text, file);
    throw new RuntsError(`parse ${quote(file)}`, { cause: error });
  }
  if (tidy(value, 0, file) !== countKeys(text)) scanJson(text, file);
  return value;
}

/** JSON text of a value that may hold bigints. */
export function formatJson(value: unknown, indent?: string): string {
  return JSON.stringify(value, (_key, item) => typeof item === "bigint" ? raw(item) : item, indent);
}

/** JSON.rawJSON, which the library's types do not have yet. */
function raw(number: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(number));
}

function tooDeep(file: string): RuntsError {
  return new RuntsError(`parse ${quote(file)}`, {
    cause: `nested deeper than ${DEPTH_MAX} levels`,
  });
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

function exactNumber(this: unknown, _key: string, value: unknown, context?: { source?: string }) {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** Takes out properties that are null; the number of keys that there were. */
function tidy(value: unknown, depth: number, file: string): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > DEPTH_MAX) {
    throw tooDeep(file);
  }
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === "object") keys += tidy(item, depth + 1, file);
    }
    return keys;
  }
  for (const [key, part] of Object.entries(value)) {
    keys++;
    if (part === null) delete (value as Record<string, unknown>)[key];
    else if (typeof part === "object") keys += tidy(part, depth + 1, file);
  }
  return keys;
}

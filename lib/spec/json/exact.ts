/** JSON of which no digit is lost and no null is left. */

/** Deepest nesting of arrays and objects; config.json needs 8. */
export const DEPTH_MAX = 100;

export interface Exact {
  /** Integers beyond 2^53 are bigints; properties that were null are left out. */
  readonly value: unknown;
  /** How many properties there were in all objects, those that were null included. */
  readonly keys: number;
}

/** Parses JSON text. Throws SyntaxError; RangeError if it is nested deeper than DEPTH_MAX. */
export function parseExact(text: string): Exact {
  // Rounding 2^64 - 1, which means infinity, would make another limit of it.
  const value = /[:[,]\s*-?\d{16}/.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  return { value, keys: dropNulls(value, 0) };
}

function exactNumber(this: unknown, _key: string, value: unknown, context?: { source?: string }) {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function dropNulls(value: unknown, depth: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > DEPTH_MAX) throw new RangeError(`nested deeper than ${DEPTH_MAX} levels`);
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === "object") keys += dropNulls(item, depth + 1);
    }
    return keys;
  }
  for (const [key, part] of Object.entries(value)) {
    keys++;
    if (part === null) delete (value as Record<string, unknown>)[key];
    else if (typeof part === "object") keys += dropNulls(part, depth + 1);
  }
  return keys;
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What all wrappers share: results, strings and buffers that cross to C. */

import { encodeText } from "../lib/base/bytes.ts";
import { EINVAL } from "../lib/base/errno.ts";
import { quote, RuntsError } from "../lib/base/errors.ts";

/** The result of a C function, or RuntsError with its error number. */
export function check(result: number, operation: string | (() => string)): number {
  if (result >= 0) return result;
  throw new RuntsError(typeof operation === "string" ? operation : operation(), { errno: -result });
}

/**
 * Bytes outside V8's heap. Another thread may only be given such: small arrays made otherwise
 * move when garbage is collected.
 */
export function outside(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** NUL-terminated bytes. A NUL inside the text is EINVAL, as it would silently cut it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new RuntsError(`use ${quote(text)}`, { errno: EINVAL });
  const encoded = encodeText(text);
  const bytes = outside(encoded.length + 1);
  bytes.set(encoded);
  return bytes;
}

/** The text of NUL-terminated bytes, or of all of them where there is no NUL. */
export function fromCString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Descriptors or other C ints; never empty, so that it has an address. */
export function ints(values: readonly number[]): Int32Array<ArrayBuffer> {
  const array = new Int32Array(new ArrayBuffer(Math.max(1, values.length) * 4));
  array.set(values);
  return array;
}

const inUse = new Map<Promise<unknown>, readonly unknown[]>();

/** Keeps buffers from being collected while another thread works on them. */
export async function holding<T>(call: Promise<T>, ...buffers: readonly unknown[]): Promise<T> {
  inUse.set(call, buffers);
  try {
    return await call;
  } finally {
    inUse.delete(call);
  }
}

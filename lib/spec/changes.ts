/** Configurations of which only a part is given. */

import { isObject } from "./json/exact.ts";

/**
 * A part of a document. Of an object that is given in part the rest stays as it was; lists are given as a
 * whole, and null takes a property away.
 */
export type Changes<T> = T extends readonly unknown[] ? T
  : T extends object ? { readonly [K in keyof T]?: Changes<T[K]> | null | undefined }
  : T;

/** A document with changes. Neither of the two is touched; what is undefined is no change. */
export function withChanges(document: unknown, changes: unknown): unknown {
  if (changes === undefined) return document;
  if (!isObject(changes)) return changes;
  const base = isObject(document) ? document : {};
  const changed: Record<string, unknown> = Object.create(null);
  for (const key of new Set([...Object.keys(base), ...Object.keys(changes)])) {
    const value = withChanges(base[key], changes[key]);
    if (value !== null && value !== undefined) changed[key] = value;
  }
  return changed;
}

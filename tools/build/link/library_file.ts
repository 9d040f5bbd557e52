/**
 * Takes the place of ffi/library_file.ts in the linked executable, where the front has put the helper
 * library into a file in memory.
 */

import type { Linked } from "./load.ts";

declare const $runts: Linked;

/** Calls `open` with the path of the library. */
export function withLibraryFile<T>(open: (path: string) => T): Promise<T> {
  return Promise.resolve(open($runts.library));
}

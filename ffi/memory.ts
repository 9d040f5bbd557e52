/** Memory of this process. */

import { check } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** With its C prototype, as c/helper/memory.h states it. */
export const MEMORY_SYMBOLS = {
  // int32_t rts_drop_pages(uint64_t start, uint64_t length);
  rts_drop_pages: { parameters: ["u64", "u64"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Drops the pages of a part of memory (MADV_DONTNEED of madvise(2)). They must be as the file has them that is mapped
 * there, from which they come back when they are wanted. The helper must have been loaded.
 */
export function dropPages(start: bigint, length: bigint): void {
  const { rts_drop_pages } = furtherFunctions(MEMORY_SYMBOLS);
  check(rts_drop_pages(start, length), "drop pages of memory");
}

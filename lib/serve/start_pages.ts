/** What of the executable is in memory for its start alone. */

import { dropPages } from "../../ffi/memory.ts";
import { readBytesText } from "../base/bytes.ts";
import { readLink } from "../base/files.ts";

/** A mapping of proc_pid_smaps(5). */
interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly permissions: string;
  readonly path: string;
  /** Kilobytes that are not as the file has them. */
  readonly changed: number;
}

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/;
const CHANGED = /^(?:Anonymous|Private_Dirty|Shared_Dirty): +(\d+) kB$/gm;

/** The text of smaps, by mappings. */
export function parseMappings(text: string): Mapping[] {
  return text.split(/^(?=[0-9a-f]+-)/m).flatMap((part) => {
    const [, start, end, permissions = "", path = ""] = HEAD.exec(part.split("\n", 1)[0]!) ?? [];
    if (start === undefined || end === undefined) return [];
    const changed = [...part.matchAll(CHANGED)].reduce((sum, [, kB]) => sum + Number(kB), 0);
    return [{ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), permissions, path, changed }];
  });
}

/**
 * Drops what of the executable was read for the start of Deno, V8's snapshot above all, 30 MB: what is wanted again
 * comes from the page cache.
 */
export function dropStartPages(proc: string): void {
  const executable = readLink(`${proc}/exe`);
  for (
    const { start, end, permissions, path, changed } of parseMappings(
      readBytesText(`${proc}/smaps`),
    )
  ) {
    const isItsOwn = path === executable && changed === 0 && !permissions.includes("w");
    if (isItsOwn) dropPages(start, end - start);
  }
}

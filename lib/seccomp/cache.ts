/**
 * Compiled filters, kept in ROOT/.seccomp, which is for its owner alone. An entry is four lines:
 * who made it with which library, the whole key, the program (base64) and a checksum of that. The
 * key is compared in full, so the file's name need not tell any two profiles apart.
 */

import type { Caller } from "../base/caller.ts";
import { VERSION } from "../base/version.ts";

/** The library as it was when the filter was compiled. */
interface Stamp {
  readonly runts: string;
  /** Path of the library's file. */
  readonly library: string;
  readonly size: number;
  /** ms since 1970. */
  readonly modified: number;
}

/** Where filters are kept, and for whom: a runtime. */
export interface FilterCache {
  /** The state root. */
  readonly root: string;
  readonly caller: Pick<Caller, "uid" | "pid">;
}

/** Where entries are; the root of the states is its parent. */
export function cacheDirectory(root: string): string {
  return `${root}/.seccomp`;
}

/** Name of an entry's file. */
export function entryName(key: string): string {
  return checksum(key);
}

/** The program for this key, if it is there and was made with the library of today. */
export function readCache(
  { root, caller }: FilterCache,
  key: string,
): Uint8Array<ArrayBuffer> | undefined {
  const directory = cacheDirectory(root);
  try {
    if (!isPrivate(directory, caller.uid)) return undefined;
    const text = Deno.readTextFileSync(`${directory}/${entryName(key)}`);
    const [stamp = "", entryKey, program = "", sum] = text.split("\n");
    if (entryKey !== key || sum !== checksum(program)) return undefined;
    if (stamp !== libraryStamp(JSON.parse(stamp).library)) return undefined;
    return Uint8Array.fromBase64(program);
  } catch {
    return undefined; // not there, or not to be used: it is compiled again
  }
}

/** Whether a directory is this user's and nobody else can have written to it. */
export function isPrivate(directory: string, owner: number): boolean {
  const { isDirectory, uid, mode } = Deno.lstatSync(directory);
  return isDirectory && uid === owner && ((mode ?? 0) & 0o077) === 0;
}

/** The text of an entry's first line; `library`: path of the library's file. */
export function libraryStamp(library: string): string {
  const name = library.slice(0, library.lastIndexOf("/") + 1) + "libseccomp.so.2";
  const { size, mtime } = Deno.statSync(library);
  // Another version may have been installed beside it.
  const stamp: Stamp = {
    runts: VERSION,
    library: Deno.realPathSync(name),
    size,
    modified: mtime?.getTime() ?? 0,
  };
  return JSON.stringify(stamp);
}

/** Any odd number of 128 bits does; its bits should be in no order. */
const MODULUS = 0xd1b54a32d192ed039e3779b97f4a7c15n;

/**
 * A digest against accidents, not against forgers: the text as a number, and what is left of it.
 * Arithmetic of bigints is native code; a loop over the text would take longer than all the rest.
 */
export function checksum(text: string): string {
  const digits = new TextEncoder().encode(text).toHex();
  return (BigInt(`0x0${digits}`) % MODULUS).toString(16).padStart(32, "0");
}

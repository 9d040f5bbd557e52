/**
 * Compiled filters, kept in ROOT/.seccomp, which is for its owner alone. An entry is four lines:
 * who made it with which library, the whole key, the program (base64) and a checksum of that. The
 * key is compared in full, so the file's name need not tell any two profiles apart.
 */

import { VERSION } from "../version.ts";

/** The library as it was when the filter was compiled. */
interface Stamp {
  readonly runts: string;
  /** Path of the library's file. */
  readonly library: string;
  readonly size: number;
  /** ms since 1970. */
  readonly modified: number;
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
export function readCache(root: string, key: string): Uint8Array<ArrayBuffer> | undefined {
  const directory = cacheDirectory(root);
  try {
    if (!isPrivate(directory)) return undefined;
    const text = Deno.readTextFileSync(`${directory}/${entryName(key)}`);
    const [stamp = "", entryKey, program = "", sum] = text.split("\n");
    if (entryKey !== key || sum !== checksum(program)) return undefined;
    if (stamp !== libraryStamp(JSON.parse(stamp).library)) return undefined;
    return Uint8Array.fromBase64(program);
  } catch {
    return undefined; // not there, or not to be used: it is compiled again
  }
}

/** Whether a directory is ours and nobody else can have written to it. */
export function isPrivate(directory: string): boolean {
  const { isDirectory, uid, mode } = Deno.lstatSync(directory);
  return isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0;
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

/** 64 bits as hexadecimal; good against accidents, not against forgers. */
export function checksum(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(bytes.length + 3 & ~3);
  padded.set(bytes);
  let a = bytes.length;
  let b = ~bytes.length;
  for (const word of new Uint32Array(padded.buffer)) {
    a = Math.imul(a ^ word, 0x85ebca6b);
    a ^= a >>> 13;
    b = Math.imul(b + word | 0, 0xc2b2ae35);
    b ^= b >>> 16;
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

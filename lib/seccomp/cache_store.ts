/** Adds to the cache of filters. What goes wrong here costs time at the next start and no more. */

import { loadedLibrary } from "../../ffi/seccomp.ts";
import { removeQuietly } from "../base/files.ts";
import {
  cacheDirectory,
  checksum,
  entryName,
  type FilterCache,
  isPrivate,
  libraryStamp,
} from "./cache.ts";

/** With more entries than this, those least recently used are removed. */
const ENTRIES_MAX = 64;
/** How many are left then. */
const ENTRIES_KEPT = 48;

/** Keeps a program under its key. */
export function storeInCache(
  { root, caller }: FilterCache,
  key: string,
  program: Uint8Array,
): void {
  const directory = cacheDirectory(root);
  try {
    const library = loadedLibrary();
    if (library === undefined) return;
    makeDirectory(directory);
    if (!isPrivate(directory, caller.uid)) return;
    prune(directory);
    const text = program.toBase64();
    const lines = [libraryStamp(library), key, text, checksum(text), ""].join("\n");
    const path = `${directory}/${entryName(key)}`;
    write(path, `${path}.${caller.pid}`, lines);
  } catch {
    // a full or read-only file system: the filter is at hand all the same
  }
}

function makeDirectory(directory: string): void {
  try {
    Deno.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Readers see the whole file or none. */
function write(path: string, temporary: string, text: string): void {
  try {
    Deno.writeTextFileSync(temporary, text, { mode: 0o600 });
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

function prune(directory: string): void {
  const names = [...Deno.readDirSync(directory)].map((entry) => entry.name);
  if (names.length < ENTRIES_MAX) return;
  const byUse = names.map((name) => ({
    path: `${directory}/${name}`,
    used: lastUse(directory, name),
  }))
    .sort((a, b) => b.used - a.used);
  for (const { path } of byUse.slice(ENTRIES_KEPT)) removeQuietly(path);
}

/** ms since 1970. With `relatime` the kernel notes the first reading after each writing or day. */
function lastUse(directory: string, name: string): number {
  try {
    const { atime, mtime } = Deno.lstatSync(`${directory}/${name}`);
    return Math.max(atime?.getTime() ?? 0, mtime?.getTime() ?? 0);
  } catch {
    return 0; // another runts has removed it
  }
}

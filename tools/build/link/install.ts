/** Puts V8's code cache into the state root, for the commands to come. */

import { read, type Span } from "./executable.ts";

/** Written by the linker: where the caches stand in the executable, each behind its length. */
declare const CODE_CACHE_AT: number;

/** At the end of the name of the cache of a process that stays, which is the second one. */
export const RESIDENT_SUFFIX = "r";

/** Bytes of the length. */
const LENGTH_SIZE = 8;
/** Deno's name for its database of code. */
export const DATABASE = "v8_code_cache_v2";
/** Databases that it does without where there is a directory in their place. */
const NOT_WANTED = ["dep_analysis_cache_v2", "node_analysis_cache_v2"];

/**
 * Makes the directory, complete or not at all; those of other versions go, and what an
 * installation that was killed has left. Commands work without it, so a failure is nothing to
 * report.
 *
 * @param path ROOT/.code/NAME; the front found ROOT, and .code if it is there, to be the caller's
 */
export function installCodeCache(path: string): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  const temporary = `${path}.${Deno.pid}`;
  try {
    if (!isThere(parent)) Deno.mkdirSync(parent, { mode: 0o700 });
    Deno.mkdirSync(temporary, { mode: 0o700 });
    const isResident = path.endsWith(RESIDENT_SUFFIX);
    const span = databaseAt(isResident ? end(databaseAt(CODE_CACHE_AT)) : CODE_CACHE_AT);
    Deno.writeFileSync(`${temporary}/${DATABASE}`, read(span));
    for (const name of NOT_WANTED) Deno.mkdirSync(`${temporary}/${name}`);
    if (!isPrivate(path)) remove(path);
    Deno.renameSync(temporary, path);
    const own = path.slice(parent.length + 1, isResident ? -RESIDENT_SUFFIX.length : undefined);
    for (const { name } of Deno.readDirSync(parent)) {
      if (name !== own && name !== own + RESIDENT_SUFFIX) remove(`${parent}/${name}`);
    }
  } catch {
    remove(temporary);
  }
}

/** The database whose length stands there. */
function databaseAt(at: number): Span {
  const length = new DataView(read([at, LENGTH_SIZE]).buffer).getBigUint64(0);
  return [at + LENGTH_SIZE, Number(length)];
}

function end([offset, length]: Span): number {
  return offset + length;
}

function isThere(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Whether it is one that the front lets Deno use: somebody else may just have put it there. */
function isPrivate(path: string): boolean {
  return isThere(path) && (Deno.lstatSync(path).mode! & 0o077) === 0;
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // somebody else was quicker
  }
}

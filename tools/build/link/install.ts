/** Puts V8's code cache into the state root, for the commands to come. */

import { read } from "./executable.ts";

/** Written by the linker: where the cache stands in the executable, behind its length. */
declare const CODE_CACHE_AT: number;

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
    const length = Number(new DataView(read([CODE_CACHE_AT, LENGTH_SIZE]).buffer).getBigUint64(0));
    Deno.writeFileSync(`${temporary}/${DATABASE}`, read([CODE_CACHE_AT + LENGTH_SIZE, length]));
    for (const name of NOT_WANTED) Deno.mkdirSync(`${temporary}/${name}`);
    if (!isPrivate(path)) remove(path);
    Deno.renameSync(temporary, path);
    for (const { name } of Deno.readDirSync(parent)) {
      if (`${parent}/${name}` !== path) remove(`${parent}/${name}`);
    }
  } catch {
    remove(temporary);
  }
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

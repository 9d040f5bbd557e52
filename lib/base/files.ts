/** Looking at files that may not be there, and removing them. */

import { ENOENT } from "./errno.ts";
import { errnoOf, quote, RuntsError } from "./errors.ts";

let read: (file: string) => string | undefined = Deno.readTextFileSync;

/** Small files are read so from now on. */
export function readFilesBy(reader: typeof read): void {
  read = reader;
}

/** The text of a file without what is blank at its end; undefined when it cannot be read. */
export function readFile(file: string): string | undefined {
  try {
    return read(file)?.trimEnd();
  } catch {
    return undefined;
  }
}

/** Where a symlink leads, as its text says; undefined when it cannot be read. */
export function readLink(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

/** What is at a path, a symlink followed; undefined when it cannot be looked at. */
export function statFile(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

/** Removes what may not be there; what cannot be removed stays. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // it is gone, or stays
  }
}

/** Removes a file or an empty directory that may be gone. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (cause) {
    if (errnoOf(cause) !== ENOENT) throw new RuntsError(`remove ${quote(path)}`, { cause });
  }
}

/** Whether a directory is there, or a symlink that leads to one. */
export function isDirectory(path: string): boolean {
  return statFile(path)?.isDirectory === true;
}

/** Where things are in the project. */

import { fromFileUrl, join } from "@std/path";

/** The project's folder. */
export const ROOT = fromFileUrl(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** What the build makes. */
export const DIST = join(ROOT, "dist");
/** The library that ffi/ loads. */
export const HELPER = join(DIST, "librunts.so");
/** The executable. */
export const EXECUTABLE = join(DIST, "runts");

/** Paths of the files below `folder` whose name ends in `suffix`, sorted. */
export async function filesBelow(folder: string, suffix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) found.push(...await filesBelow(path, suffix));
    else if (entry.name.endsWith(suffix)) found.push(path);
  }
  return found.sort();
}

/** Whether a file or folder is there. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Keeps other builds out of dist/ until it is disposed of. */
export async function lockDist(): Promise<Disposable> {
  await Deno.mkdir(DIST, { recursive: true });
  const file = await Deno.open(join(DIST, ".lock"), { write: true, create: true });
  await file.lock(true);
  return file;
}

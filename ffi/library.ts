/** Loads the helper library, out of memory: nothing is written to a disk. */

import { errnoOf, RuntsError } from "../lib/base/errors.ts";
import { bindFunctions, type Functions, openLibrary, type Signatures } from "./bind.ts";
import { BUILD_ID_LENGTH } from "../lib/wire/ops.ts";
import { isOurs } from "./build_id.ts";
import { BUILD } from "./built.ts";
import { cString, outside } from "./call.ts";
import { withLibraryFile } from "./library_file.ts";
import { SYMBOLS } from "./symbols.ts";

/** The functions of c/helper. */
export type Library = Functions<typeof SYMBOLS>;

const FIND = {
  // void *rts_find(const char *name);
  rts_find: { parameters: ["buffer"], result: "pointer" },
} as const;

let find: ((name: Uint8Array<ArrayBuffer>) => Deno.PointerValue) | undefined;

/** Loads the library. Throws RuntsError when it is missing or was built from other sources. */
export async function loadLibrary(): Promise<Library> {
  find ??= (await withLibraryFile(openHelper)).rts_find;
  const library = furtherFunctions(SYMBOLS);
  if (await isOurs(buildIdOf(library))) return library;
  throw new RuntsError("load the helper library", {
    cause: new Error("it was built from other sources"),
    hint: BUILD,
  });
}

/** What the library was built from; init has the same, and the plan tells it. */
export function buildIdOf(library: Library): string {
  const id = outside(BUILD_ID_LENGTH);
  library.rts_build_id(id);
  return String.fromCharCode(...id);
}

/** Functions of the library that few commands need. The library must have been loaded. */
export function furtherFunctions<const S extends Signatures>(signatures: S): Functions<S> {
  return bindFunctions(signatures, (symbol) => find!(cString(symbol)));
}

function openHelper(path: string): Functions<typeof FIND> {
  try {
    return openLibrary(path, FIND);
  } catch (error) {
    const hint = errnoOf(error) === undefined ? { hint: BUILD } : {};
    throw new RuntsError("load the helper library", { cause: error, ...hint });
  }
}

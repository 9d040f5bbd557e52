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

/** Functions are compiled when they are first asked for. */
let compiles = false;
/** The path of the library by then; that of an executable holds as long as the process. */
let compiledFrom: string | undefined;

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

/**
 * Functions are compiled from now on (bind.ts), which takes some 20 ms: for an executable that stays. The
 * library must not have been loaded yet.
 */
export function compileFunctions(): void {
  compiles = true;
}

/** What the library was built from; init has the same, and the plan tells it. */
export function buildIdOf(library: Library): string {
  const id = outside(BUILD_ID_LENGTH);
  library.rts_build_id(id);
  return String.fromCharCode(...id);
}

/** By their signatures. */
const bound = new Map<Signatures, Functions<Signatures>>();

/** Functions of the library that few commands need. The library must have been loaded. */
export function furtherFunctions<const S extends Signatures>(signatures: S): Functions<S> {
  const known = bound.get(signatures);
  if (known !== undefined) return known as Functions<S>;
  const functions = compiledFrom === undefined
    ? bindFunctions(signatures, (symbol) => find!(cString(symbol)))
    : Deno.dlopen(compiledFrom, signatures).symbols;
  bound.set(signatures, functions as Functions<Signatures>);
  return functions;
}

function openHelper(path: string): Functions<typeof FIND> {
  try {
    const functions = openLibrary(path, FIND);
    if (compiles) compiledFrom = path;
    return functions;
  } catch (error) {
    const hint = errnoOf(error) === undefined ? { hint: BUILD } : {};
    throw new RuntsError("load the helper library", { cause: error, ...hint });
  }
}

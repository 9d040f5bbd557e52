/** Loads the helper library, out of memory: nothing is written to a disk. */

import { errnoOf, quote, RuntsError } from "../lib/errors.ts";
import { bindFunctions, type Functions, openLibrary, type Signatures } from "./bind.ts";
import { cString } from "./call.ts";
import { libraryBytes } from "./built.ts";
import { ABI, SYMBOLS } from "./symbols.ts";

/** The functions of c/helper. */
export type Library = Functions<typeof SYMBOLS>;

const MFD_CLOEXEC = 1;

const LIBC = {
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
} as const;

const FIND = {
  // void *rts_find(const char *name);
  rts_find: { parameters: ["buffer"], result: "pointer" },
} as const;

const BUILD = "run deno task build:c";

let find: ((name: Uint8Array<ArrayBuffer>) => Deno.PointerValue) | undefined;

/** Loads the library. Throws RuntsError when it is missing or was built from other sources. */
export async function loadLibrary(): Promise<Library> {
  find ??= openBytes(await bytesOrReason()).rts_find;
  const library = furtherFunctions(SYMBOLS);
  const abi = library.rts_abi();
  if (abi === ABI) return library;
  throw new RuntsError("load the helper library", {
    cause: new Error(`it has interface ${abi}, not ${ABI}`),
    hint: BUILD,
  });
}

/** Functions of the library that few commands need. The library must have been loaded. */
export function furtherFunctions<const S extends Signatures>(signatures: S): Functions<S> {
  return bindFunctions(signatures, (symbol) => find!(cString(symbol)));
}

async function bytesOrReason(): Promise<Uint8Array> {
  try {
    return await libraryBytes();
  } catch (error) {
    throw new RuntsError(`read the helper library ${quote("dist/librunts.so")}`, {
      cause: error,
      hint: BUILD,
    });
  }
}

function openBytes(bytes: Uint8Array): Functions<typeof FIND> {
  const libc = openLibrary("libc.so.6", LIBC);
  const fd = libc.memfd_create(cString("runts"), MFD_CLOEXEC);
  if (fd < 0) throw new RuntsError("make a file in memory for the helper library");
  try {
    Deno.writeFileSync(`/proc/self/fd/${fd}`, bytes, { create: false });
    return openLibrary(`/proc/self/fd/${fd}`, FIND);
  } catch (error) {
    const hint = errnoOf(error) === undefined ? { hint: BUILD } : {};
    throw new RuntsError("load the helper library", { cause: error, ...hint });
  } finally {
    libc.close(fd);
  }
}

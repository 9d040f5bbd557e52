/** Loads the helper library, out of memory: nothing is written to a disk. */

import { quote, RuntsError } from "../lib/errors.ts";
import { type Functions, openLibrary, type Signatures } from "./bind.ts";
import { libraryBytes } from "./library_bytes.ts";
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

/** Loads the library. Throws RuntsError when it is missing or was built from other sources. */
export async function loadLibrary(): Promise<Library> {
  const library = openBytes(await bytesOrReason());
  const abi = library.rts_abi();
  if (abi !== ABI) {
    throw new RuntsError("load the helper library", {
      cause: new Error(`it has interface ${abi}, not ${ABI}`),
      hint: BUILD,
    });
  }
  return library;
}

const BUILD = "run deno task build:c";

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

function openBytes(bytes: Uint8Array): Library {
  const libc = openLibrary("libc.so.6", LIBC);
  const fd = libc.memfd_create(new TextEncoder().encode("runts\0"), MFD_CLOEXEC);
  if (fd < 0) throw new RuntsError("make a file in memory for the helper library");
  const path = `/proc/self/fd/${fd}`;
  try {
    Deno.writeFileSync(path, bytes, { create: false });
    const library = openLibrary(path, SYMBOLS);
    loaded = path;
    return library;
  } catch (error) {
    libc.close(fd);
    throw new RuntsError("load the helper library", { cause: error, hint: BUILD });
  }
}

/** The file in memory; it stays open for {@linkcode furtherFunctions}. */
let loaded: string | undefined;

/** Functions of the library that few commands need. {@linkcode loadLibrary} comes first. */
export function furtherFunctions<const S extends Signatures>(signatures: S): Functions<S> {
  if (loaded === undefined) throw new RuntsError("use the helper library before it is loaded");
  return openLibrary(loaded, signatures);
}

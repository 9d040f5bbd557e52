/** `library`: the C half of runts, for scripts that have none beside them (ffi/built.ts). */

import { withLibraryFile } from "../../ffi/library_file.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";

/** The helper library. Throws when a script of another version asks for it. */
export async function helperLibrary(version = VERSION): Promise<Uint8Array> {
  if (version === VERSION) return await withLibraryFile((path) => Deno.readFileSync(path));
  throw new RuntsError(`this is runts ${VERSION}, not ${quote(version)}`, { command: "library" });
}

/** Where the helper library is that the build made: three places, one after the other. */

import { quote, reason, RuntsError } from "../lib/base/errors.ts";
import { VERSION } from "../lib/base/version.ts";

/** What to do about a library that does not fit. */
export const BUILD = "run deno task build:c";

/** Names a library, before all others. */
const VARIABLE = "RUNTS_LIBRARY";
/** Beside the sources. */
const BESIDE = "dist/librunts.so";

/** The shared library. Throws RuntsError that names all places when it is in none of them. */
export async function libraryBytes(): Promise<Uint8Array> {
  const named = Deno.env.get(VARIABLE);
  if (named) return await read(`${quote(named)}, which ${VARIABLE} names`, named);
  const vain = [`${VARIABLE} is not set`];
  for (const [place, look] of [[BESIDE, beside], ["runts in PATH", installed]] as const) {
    try {
      return await look();
    } catch (error) {
      vain.push(`${place}: ${reason(error)}`);
    }
  }
  throw new RuntsError("find the helper library", {
    cause: vain.join("; "),
    hint: `${BUILD}, or install runts`,
  });
}

async function read(what: string, file: string | URL): Promise<Uint8Array> {
  try {
    return await Deno.readFile(file);
  } catch (cause) {
    throw new RuntsError(`read the helper library ${what}`, { cause });
  }
}

/** Beside the sources, or in the executable that `deno compile` has made of them. */
async function beside(): Promise<Uint8Array> {
  const { protocol } = new URL(import.meta.url);
  if (protocol !== "file:") throw new Error("the sources are not files");
  return await Deno.readFile(new URL(`../${BESIDE}`, import.meta.url));
}

/** An installed executable has it inside, and gives it to scripts of its own version. */
async function installed(): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command("runts", {
    args: ["library", VERSION],
    stdin: "null",
  }).output();
  if (success) return stdout;
  throw new Error(new TextDecoder().decode(stderr).trim());
}

/** The helper library with another program in place of init, to see how init is started. */

import { fromFileUrl } from "@std/path";
import { bindFunctions, openLibrary } from "../../ffi/bind.ts";
import { cString } from "../../ffi/call.ts";
import { type ProcessCalls, processCalls } from "../../ffi/process.ts";
import { loadLibrary } from "../../ffi/library.ts";
import { SYMBOLS } from "../../ffi/symbols.ts";
import { Waiter } from "../../ffi/waiter.ts";

const C = fromFileUrl(new URL("../../c/", import.meta.url));

/** Runs the C compiler; throws with what it says. */
export async function gcc(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("gcc", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Builds the library around a program and gives its calls on processes. */
export async function standInForInit(source: string): Promise<ProcessCalls> {
  const folder = await Deno.makeTempDir({ prefix: "runts-stand-in-" });
  try {
    const [program, library] = [`${folder}/init`, `${folder}/library.so`];
    await Deno.writeTextFile(`${program}.c`, source);
    await gcc("-static", "-O1", "-o", program, `${program}.c`);
    const sources = ["helper", "common"].flatMap((name) => filesOf(`${C}${name}`));
    const flags = ["-shared", "-fPIC", "-O1", "-fvisibility=hidden", `-I${C}common`];
    await gcc(
      ...flags,
      `-DINIT_PATH="${program}"`,
      `-DMONITOR_PATH="${program}"`,
      `-DRUNTS_BUILD_ID="${"0".repeat(32)}"`,
      "-o",
      library,
      ...sources,
    );
    const { rts_find } = openLibrary(library, {
      rts_find: { parameters: ["buffer"], result: "pointer" },
    });
    const waiter = new Waiter(await loadLibrary());
    return processCalls(bindFunctions(SYMBOLS, (symbol) => rts_find(cString(symbol))), waiter);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function filesOf(folder: string): string[] {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  return names.filter((name) => /\.[cS]$/.test(name)).map((name) => `${folder}/${name}`);
}

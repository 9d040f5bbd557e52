/** A document that a command line names: a file, or the standard input. */

import { RuntsError } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { readText } from "../spec/json/document.ts";

/** Its text, and what messages call it; `-` is the standard input. */
export async function givenText(
  { files }: Runtime,
  file: string,
): Promise<{ readonly text: string; readonly name: string }> {
  if (file !== "-") return { text: await readText(files, file), name: file };
  try {
    return { text: await (files.readInput ?? await ownInput())(), name: "standard input" };
  } catch (error) {
    if (error instanceof RuntsError) throw error;
    throw new RuntsError("read the standard input", { cause: error });
  }
}

async function ownInput(): Promise<() => Promise<string>> {
  return (await import("../cli/standard_input.ts")).readStandardInput;
}

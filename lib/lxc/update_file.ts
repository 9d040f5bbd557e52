/** `update`: a file is read, converted, kept as a copy and written anew. */

import { absolute } from "../base/absolute.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { findingText } from "./config/place.ts";
import { hostFiles, readConfig } from "./config/read.ts";
import { updateText } from "./update.ts";

/**
 * Converts a file; gives a line for each change, and for each fault and old name that remain, in the
 * files that it includes as well.
 */
export async function updateFile(
  { caller, files }: Runtime,
  name: string,
  dryRun: boolean,
): Promise<string[]> {
  const file = absolute(caller, name);
  let old: string;
  try {
    old = await files.read(file);
  } catch (cause) {
    throw new RuntsError(`read ${quote(file)}`, { cause });
  }
  const { text, changes } = updateText(old);
  if (changes.length > 0 && !dryRun) replace(file, text);
  const read = (path: string) => path === file ? text : files.read(path);
  const { findings, warnings } = await readConfig({ file }, hostFiles(read));
  return [
    ...changes.map((change) => `${file}:${change.line}: ${change.text}`),
    ...[...findings, ...warnings].map(findingText),
  ];
}

/** By rename, so that nobody reads half a file; mode and owner stay. */
function replace(file: string, text: string): void {
  const path = Deno.realPathSync(file);
  const fresh = `${path}.new`;
  try {
    const { mode, uid, gid } = Deno.statSync(path);
    Deno.copyFileSync(path, `${path}.backup`);
    Deno.writeTextFileSync(fresh, text);
    if (mode !== null) Deno.chmodSync(fresh, mode & 0o7777);
    Deno.chownSync(fresh, uid, gid);
    Deno.renameSync(fresh, path);
  } catch (cause) {
    throw new RuntsError(`write ${quote(file)}`, { cause });
  }
}

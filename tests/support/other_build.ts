/** runts as it was, or is going to be: another build of the same sources, which takes its own init and monitor. */

import { buildLibrary } from "../../tools/build/c.ts";
import { link } from "../../tools/build/link.ts";
import { DIST, ROOT } from "../../tools/support/paths.ts";

/** Its build id. */
export const OTHER_BUILD = "0123456789abcdef".repeat(2);

const FOLDER = `${DIST}/other-build`;

let library: Promise<string> | undefined;
let executable: Promise<string> | undefined;

/** Its helper library; built if need be. */
export function otherLibrary(): Promise<string> {
  return library ??= makeLibrary();
}

/** Its executable, which knows the verb `run` alone: to link all of them takes long. */
export function otherExecutable(): Promise<string> {
  return executable ??= linkOther();
}

async function makeLibrary(): Promise<string> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await buildLibrary(FOLDER, ["-URUNTS_BUILD_ID", `-DRUNTS_BUILD_ID="${OTHER_BUILD}"`]);
  return `${FOLDER}/librunts.so`;
}

async function linkOther(): Promise<string> {
  const library = await otherLibrary();
  const path = `${FOLDER}/runts`;
  await link({ root: ROOT, verbs: ["run"], library, buildId: OTHER_BUILD }, Deno.execPath(), path);
  return path;
}

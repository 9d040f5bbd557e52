/** The version stands in two places: Deno's own tools read that of deno.json. */

import { VERSION } from "../../lib/base/version.ts";
import { ROOT } from "../support/paths.ts";

/** Complains of two versions. */
export function checkVersion(): string[] {
  const { version } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`));
  return version === VERSION
    ? []
    : [`deno.json: version ${version}; lib/base/version.ts says ${VERSION}`];
}

/** Files that the documentation names are there. */

import { join, relative } from "@std/path";
import { exists, filesBelow, ROOT } from "../support/paths.ts";

/** Where a name in backticks may be meant to begin. */
const PLACES = ["", "tests/integration", "tests/fuzz"];
const NAMED = /`((?:[\w.-]+\/)*[\w.-]+\.(?:ts|sh|[ch]))`/g;

/** Each name of a source file in docs/ and README.md that no file has. */
export async function checkDocs(): Promise<string[]> {
  const pages = [join(ROOT, "README.md"), ...await filesBelow(join(ROOT, "docs"), ".md")];
  const found: string[] = [];
  for (const page of pages) {
    const names = (await Deno.readTextFile(page)).matchAll(NAMED);
    for (const name of new Set([...names].map((match) => match[1]!))) {
      const there = await Promise.all(PLACES.map((place) => exists(join(ROOT, place, name))));
      if (there.includes(true)) continue;
      found.push(`${relative(ROOT, page)}: there is no ${name}`);
    }
  }
  return found;
}

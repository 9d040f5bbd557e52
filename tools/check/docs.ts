/** What pages and workflows name is there: source files, and tasks of deno.json. */

import { join, relative } from "@std/path";
import { exists, filesBelow, ROOT } from "../support/paths.ts";

/** Where a name in backticks may be meant to begin. */
const PLACES = ["", "tests/integration", "tests/fuzz"];
const NAMED = /`((?:[\w.-]+\/)*[\w.-]+\.(?:ts|sh|[ch]))`/g;
/** A part of a name that stands for any: `lib/commands/VERB.ts`. */
const ANY = /(?:^|\/)[A-Z]+\.\w+$/;
const TASK = /\bdeno(?:@[\d.]+)? task ([a-z][a-z:-]*)/g;
/** What a workflow runs. */
const SCRIPT = /\brun -A ([\w./-]+\.ts)\b/g;
/** The page with the table of tasks. */
const TABLE = "docs/development.md";

/** A page, or a workflow of the forge; its path is relative to the project. */
interface Page {
  readonly path: string;
  readonly text: string;
}

/** What pages name and is not there, and tasks that the table of them does not have. */
export async function checkPages(
  pages: readonly Page[],
  tasks: readonly string[],
  isThere: (path: string) => Promise<boolean>,
): Promise<string[]> {
  const found: string[] = [];
  for (const { path, text } of pages) {
    const all = (pattern: RegExp) =>
      new Set(Array.from(text.matchAll(pattern), (match) => match[1]!));
    for (const name of all(NAMED).union(all(SCRIPT))) {
      if (ANY.test(name)) continue;
      const there = await Promise.all(PLACES.map((place) => isThere(join(place, name))));
      if (!there.includes(true)) found.push(`${path}: there is no ${name}`);
    }
    for (const name of all(TASK)) {
      if (!tasks.includes(name)) found.push(`${path}: there is no task ${name}`);
    }
  }
  const table = pages.find(({ path }) => path === TABLE)?.text.match(/^\| `.*?\|/gm)?.join("") ??
    "";
  return [
    ...found,
    ...tasks.filter((name) => !table.includes(`\`${name}\``))
      .map((name) => `${TABLE}: does not list the task ${name}`),
  ];
}

/** The pages of the project, and what the forge reads. */
export async function checkDocs(): Promise<string[]> {
  const paths = [
    ...["README.md", "CONTRIBUTING.md", "SECURITY.md"].map((name) => join(ROOT, name)),
    ...await filesBelow(join(ROOT, "docs"), ".md"),
    ...await filesBelow(join(ROOT, ".github"), ""),
  ];
  const pages = await Promise.all(paths.map(async (path) => ({
    path: relative(ROOT, path),
    text: await Deno.readTextFile(path),
  })));
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  return await checkPages(pages, Object.keys(tasks), (path) => exists(join(ROOT, path)));
}

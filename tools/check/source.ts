/** The sources that rules look at, and what they import. */

import { dirname, join, relative } from "@std/path";
import { exists, filesBelow, ROOT } from "../support/paths.ts";

const SOURCES = [
  ...["main.ts", "mod.ts", "verbs.ts", "explain.ts", "oci.ts"],
  ...["lib", "ffi", "c", "tools", "tests", "examples"],
];

/** A source file; its path is relative to the project. */
export interface Source {
  path: string;
  text: string;
  lines: string[];
}

/** A rule about one file: what it has against it. */
export type Rule = (source: Source) => string[];

/** What a file takes from another. */
interface Import {
  /** As it is written. */
  specifier: string;
  /** Path of the file relative to the project, for a relative specifier. */
  target: string;
  /** The names of the other file; undefined for all of them. */
  names: readonly string[] | undefined;
  /** It is loaded when the statement is reached: `import()`. */
  later: boolean;
  /** It is exported again. */
  passedOn: boolean;
}

const STATEMENT = /(?:^|[\s;}])(import|export)\s(?:([^"';]*?)\sfrom\s)?"([^"]+)"/gm;
const LATER = /\bimport\("([^"]+)"/g;
/** `import("…").Name` in a type. */
const IN_TYPE = /\btypeof import\("([^"]+)"/g;

/** A file without its comments. */
export function codeOf({ text }: Source): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/ .*$/gm, "$1");
}

/** Names in `{ a, type B, c as d }`; undefined for `*`. */
function namesOf(clause: string | undefined): string[] | undefined {
  const braces = /\{([^}]*)\}/.exec(clause ?? "");
  if (braces === null) return clause === undefined ? [] : undefined;
  return braces[1]!.split(",").map((one) => one.trim().replace(/^type\s+/, "").split(/\s/)[0]!)
    .filter(Boolean);
}

/** All that a file imports, or exports from elsewhere. */
export function importsOf(source: Source): Import[] {
  const code = codeOf(source);
  const target = (specifier: string) => join(dirname(source.path), specifier);
  const later = [...code.matchAll(LATER)].map((match) => match[1]!);
  return [
    ...[...code.matchAll(STATEMENT)].map(([, keyword, clause, specifier]) => ({
      specifier: specifier!,
      target: target(specifier!),
      names: namesOf(clause),
      later: false,
      passedOn: keyword === "export",
    })),
    ...[...later, ...[...code.matchAll(IN_TYPE)].map((match) => match[1]!)].map((specifier) => ({
      specifier,
      target: target(specifier),
      names: undefined,
      later: true,
      passedOn: false,
    })),
  ];
}

/** Every source of the project. */
export async function readSources(): Promise<Source[]> {
  const paths: string[] = [];
  for (const name of SOURCES) {
    const path = join(ROOT, name);
    if (!await exists(path)) continue;
    if (name.endsWith(".ts")) paths.push(path);
    else paths.push(...await filesBelow(path, ""));
  }
  return await Promise.all(
    paths.filter((path) => /\.(ts|c|h|sh)$/.test(path)).map(async (path) => {
      const text = await Deno.readTextFile(path);
      return { path: relative(ROOT, path), text, lines: text.replace(/\n$/, "").split("\n") };
    }),
  );
}

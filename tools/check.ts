/**
 * Rules that formatter, linter and type checker do not know. Each has its reason beside it.
 */

import { dirname, join, relative } from "@std/path";
import { exists, filesBelow, ROOT } from "./support/paths.ts";

const FILE_LINES = 400;
const FUNCTION_LINES = 60;
const SOURCES = ["main.ts", "mod.ts", "lib", "ffi", "c", "tools", "tests"];

/** A source file; its path is relative to the project. */
interface Source {
  path: string;
  text: string;
  lines: string[];
}

/** The page that is read first stays one that is read. */
const PAGE = "docs/architecture.md";
const PAGE_LINES = 100;

type Rule = (source: Source) => string[];

/** A file that does not fit into the head is split. */
const fileLength: Rule = ({ path, lines }) =>
  lines.length > FILE_LINES ? [`${path}: ${lines.length} lines, at most ${FILE_LINES}`] : [];

function pageLength(): string[] {
  const lines = Deno.readTextFileSync(join(ROOT, PAGE)).trimEnd().split("\n").length;
  return lines > PAGE_LINES ? [`${PAGE}: ${lines} lines, at most ${PAGE_LINES}`] : [];
}

/** What is left to do belongs into the issue tracker. */
const markers: Rule = ({ path, lines }) =>
  lines.flatMap((line, i) =>
    /\b(TO[D]O|FIX[M]E|XX[X])\b/.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : []
  );

const STATIC_IMPORT = /(?:^|[\s;}])(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)"/gm;
const LATER_IMPORT = /\bimport\("([^"]+)"/g;

function specifiers({ text }: Source, pattern: RegExp): string[] {
  const code = text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...code.matchAll(pattern)].map((match) => match[1]!);
}

/**
 * The library is imported by path from projects with another import map, and a `node:` module
 * costs more start-up time than a whole command.
 */
const relativeImports: Rule = (source) =>
  /^(lib|ffi)\/|^(mod|main)\.ts$/.test(source.path)
    ? [...specifiers(source, STATIC_IMPORT), ...specifiers(source, LATER_IMPORT)]
      .filter((specifier) => !/^\.\.?\//.test(specifier))
      .map((specifier) => `${source.path}: import of "${specifier}" is not relative`)
    : [];

/**
 * Functions as the formatter lays them out: the body ends at the first line that closes a brace
 * in the column where the function's first line starts.
 */
const functionLength: Rule = ({ path, lines }) => {
  if (path.endsWith(".d.ts")) return [];
  const start = path.endsWith(".ts")
    ? /^\s*(export )?(default )?(async )?(static )?(function\b|#?[\w]+\(.*\)?.*\{$|const \w+ = .*=> \{$)/
    : /^[a-z].*\)( \{)?$/;
  return lines.flatMap((line, i) => {
    if (!start.test(line) || /^\s*(if|for|while|switch|return|Deno\.test)\b/.test(line)) return [];
    const indent = line.slice(0, line.length - line.trimStart().length);
    const length = lines.slice(i).findIndex((other) => other.startsWith(`${indent}}`)) + 1;
    return length > FUNCTION_LINES
      ? [`${path}:${i + 1}: a function of ${length} lines, at most ${FUNCTION_LINES}`]
      : [];
  });
};

const RULES: Rule[] = [fileLength, markers, relativeImports, functionLength];

/** Chains of static imports that lead back to where they started. */
function circles(sources: Source[]): string[] {
  const graph = new Map(sources.map((source) => {
    const targets = specifiers(source, STATIC_IMPORT).filter((one) => one.startsWith("."));
    return [source.path, targets.map((target) => join(dirname(source.path), target))];
  }));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push(`circular import: ${[...trail.slice(at), path].join(" -> ")}`);
    if (at >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

async function read(): Promise<Source[]> {
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

async function check(): Promise<void> {
  const sources = await read();
  const complaints = [
    ...RULES.flatMap((rule) => sources.flatMap(rule)),
    ...circles(sources),
    ...pageLength(),
  ];
  for (const complaint of complaints) console.error(complaint);
  if (complaints.length > 0) Deno.exit(1);
  console.log(`check: ${sources.length} files keep the rules`);
}

if (import.meta.main) await check();

/** Rules about one file each. Each has its reason beside it. */

import { importsOf, type Rule } from "./source.ts";

const FILE_LINES = 400;
const FUNCTION_LINES = 60;

/** A file that does not fit into the head is split. */
const fileLength: Rule = ({ path, lines }) =>
  lines.length > FILE_LINES ? [`${path}: ${lines.length} lines, at most ${FILE_LINES}`] : [];

/** What is left to do belongs into the issue tracker. */
const markers: Rule = ({ path, lines }) =>
  lines.flatMap((line, i) =>
    /\b(TO[D]O|FIX[M]E|XX[X])\b/.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : []
  );

/**
 * The library is imported by path from projects with another import map, and a `node:` module
 * costs more start-up time than a whole command.
 */
const relativeImports: Rule = (source) =>
  /^(lib|ffi)\/|^(mod|main)\.ts$/.test(source.path)
    ? importsOf(source).filter(({ specifier }) => !/^\.\.?\//.test(specifier))
      .map(({ specifier }) => `${source.path}: import of "${specifier}" is not relative`)
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

/** What several tests share is in one place, where the next one looks for it. */
const testHelpers: Rule = ({ path }) =>
  /^tests\/(unit|integration)\/.*(?<!_test)\.ts$/.test(path)
    ? [`${path}: is no test; what tests share is in tests/support`]
    : [];

export const FILE_RULES: readonly Rule[] = [
  fileLength,
  markers,
  relativeImports,
  functionLength,
  testHelpers,
];

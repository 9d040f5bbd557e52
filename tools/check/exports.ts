/** Exports that nobody needs: a reader would look for who does. */

import { codeOf, importsOf, type Source } from "./source.ts";

const DECLARATION =
  /^export\s+(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|const|let|interface|type|enum)\s+(\w+)/gm;

/** Files whose exports are for others than the project, and those that the build puts in the places of others. */
const PUBLIC =
  /^(mod|verbs|oci|explain)\.ts$|^tests\/std\.d\.ts$|^tools\/build\/link\/(begun|build_id|front_id|library_file|own_command|raised_limits)\.ts$/;

const isTest = (path: string) => path.startsWith("tests/");

/** Names that a file exports of its own. */
function exportsOf(source: Source): string[] {
  return [...codeOf(source).matchAll(DECLARATION)].map((match) => match[1]!);
}

/** How often a name stands in a file's code. */
function mentions(source: Source, name: string): number {
  return [...codeOf(source).matchAll(new RegExp(`\\b${name}\\b`, "g"))].length;
}

/** What somebody takes from a file: these names, or every name that it mentions. */
interface Use {
  user: Source;
  names: readonly string[] | undefined;
}

/** Who takes something from each file; what is passed on is used by those who take it there. */
function usesOf(sources: readonly Source[]): (path: string) => Use[] {
  const direct = new Map<string, (Use & { passedOn: boolean })[]>();
  for (const user of sources) {
    for (const { target, names, passedOn } of importsOf(user)) {
      direct.getOrInsertComputed(target, () => []).push({ user, names, passedOn });
    }
  }
  const uses = (path: string): Use[] =>
    (direct.get(path) ?? []).flatMap((use) =>
      use.passedOn && !PUBLIC.test(use.user.path) ? uses(use.user.path) : [use]
    );
  return uses;
}

/**
 * Exports without a user outside of their file. What tests use counts where the file itself uses it
 * too: a test may look inside. It does not count where it is the only use.
 */
export function unusedExports(sources: readonly Source[]): string[] {
  const scripts = sources.filter(({ path }) => path.endsWith(".ts"));
  const usesOfFile = usesOf(scripts);
  const found: string[] = [];
  for (const source of scripts.filter(({ path }) => !PUBLIC.test(path))) {
    const uses = usesOfFile(source.path);
    for (const name of exportsOf(source)) {
      const using = uses.filter(({ user, names }) =>
        names?.includes(name) ?? (PUBLIC.test(user.path) || mentions(user, name) > 0)
      );
      const outside = using.filter(({ user }) => isTest(source.path) || !isTest(user.path));
      if (outside.length > 0) continue;
      if (using.length === 0) {
        found.push(`${source.path}: nobody else uses the export ${name}`);
      } else if (mentions(source, name) < 2) {
        found.push(`${source.path}: only tests use ${name}`);
      }
    }
  }
  return found;
}

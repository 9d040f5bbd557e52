/** Rules that formatter, linter and type checker do not know; tools/check has them. */

import { checkClients } from "./check/clients.ts";
import { checkDocs } from "./check/docs.ts";
import { unusedExports } from "./check/exports.ts";
import { FILE_RULES } from "./check/files.ts";
import { checkLayout } from "./check/layout.ts";
import { checkProcessWide } from "./check/process_wide.ts";
import { checkPage, checkRooms } from "./check/rooms.ts";
import { importsOf, readSources, type Source } from "./check/source.ts";
import { checkVersion } from "./check/version.ts";

/** Chains of static imports that lead back to where they started. */
function circles(sources: readonly Source[]): string[] {
  const graph = new Map(sources.map((source) => {
    const targets = importsOf(source).filter(({ later }) => !later).map(({ target }) => target);
    return [source.path, targets];
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

async function check(): Promise<void> {
  const sources = await readSources();
  const complaints = [
    ...FILE_RULES.flatMap((rule) => sources.flatMap(rule)),
    ...circles(sources),
    ...checkRooms(sources),
    ...checkPage(),
    ...checkVersion(),
    ...checkProcessWide(sources),
    ...unusedExports(sources),
    ...checkClients(),
    ...await checkDocs(),
    ...await checkLayout(sources),
  ];
  for (const complaint of complaints) console.error(complaint);
  if (complaints.length > 0) Deno.exit(1);
  console.log(`check: ${sources.length} files keep the rules`);
}

if (import.meta.main) await check();

/**
 * Takes the place of lib/cli/load.ts in the linked executable: the code of a verb is read from
 * the executable itself when it is needed, so that a command pays only for what it imports.
 */

import type { Run } from "../../lib/cli/dispatch.ts";

/** Where a piece stands in the executable: offset and length, in bytes. */
export type Span = [offset: number, length: number];

/** What the code of a verb sees as `$runts`; `require` gives it one of `modules`. */
export interface Linked {
  /** Namespaces of the modules that are loaded, by the name of their chunk. */
  modules: Record<string, unknown>;
  /** Chunks outside the verb's own text, with the chunks that each needs first. */
  chunks: Record<string, [span: Span, needs: string[]]>;
  /** Files that were imported as bytes. */
  read(span: Span): Uint8Array<ArrayBuffer>;
  import(chunk: string): Promise<unknown>;
  run: Run;
}

/** Written by the linker. */
declare const VERB_SPANS: Record<string, Span>;

let executable: Deno.FsFile | undefined;

function read([offset, length]: Span): Uint8Array<ArrayBuffer> {
  executable ??= Deno.openSync("/proc/self/exe");
  executable.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = executable.readSync(bytes.subarray(filled));
    if (count === null) throw new Error("the runts executable is truncated");
    filled += count;
  }
  return bytes;
}

function evaluate(linked: Linked, span: Span): void {
  const run = new Function("$runts", "require", new TextDecoder().decode(read(span)));
  run(linked, (name: string) => linked.modules[name]);
}

function loadChunk(linked: Linked, name: string): unknown {
  if (!Object.hasOwn(linked.modules, name)) {
    const [span, needs] = linked.chunks[name]!;
    for (const needed of needs) loadChunk(linked, needed);
    evaluate(linked, span);
  }
  return linked.modules[name];
}

/** Loads one verb out of the executable; undefined where there is no such verb. */
export function load(verb: string): Promise<Run> | undefined {
  if (!Object.hasOwn(VERB_SPANS, verb)) return undefined;
  const linked = { modules: {}, chunks: {}, read } as unknown as Linked;
  linked.import = (chunk) => Promise.resolve().then(() => loadChunk(linked, chunk));
  evaluate(linked, VERB_SPANS[verb]!);
  return Promise.resolve(linked.run);
}

/**
 * Takes the place of lib/commands/load.ts in the linked executable: the code of a verb is read from
 * the executable itself when it is needed, so that a command pays only for what it imports.
 */

import type { Run } from "../../../lib/cli/dispatch.ts";
import { read, type Span } from "./executable.ts";
import { asFunction, specifierOf } from "./script.ts";

/** What the front hands over. */
interface Given {
  /** Path of the helper library, in memory. */
  library: string;
  /** The caller's limits that the front has raised: `RESOURCE:SOFT:HARD ` each. */
  limits: string;
  /** Descriptors of a start that the front has begun, or empty. */
  begun: string;
  /** argv[0]: the executable may have been called by another name. */
  calledAs: string;
}

/** What the code of a verb sees as `$runts`; `require` gives it one of `modules`. */
export interface Linked extends Given {
  /** Namespaces of the modules that somebody has asked for, by the name of their chunk. */
  modules: Record<string, unknown>;
  /** Makes the namespace of a chunk within the verb's own text. */
  provided(name: string): unknown;
  /** The chunks outside it, with the chunks that each needs first. */
  chunks(): Record<string, [span: Span, needs: string[]]>;
  /** Files that were imported as bytes. */
  read(span: Span): Uint8Array<ArrayBuffer>;
  import(chunk: string): Promise<unknown>;
  run: Run;
}

/** In which cache the code of a verb is: that of commands, or of a process that stays; empty: in none. */
export type Cache = "command" | "resident" | "";

/** Written by the linker: where each verb's text is, and where its code. */
declare const VERBS: Record<string, [span: Span, cache: Cache]>;

/** The part of Deno's core that compiles a script and keeps its code in the cache. */
interface Core {
  /** UTF-8; a TextDecoder takes half a millisecond to be there. */
  decode(bytes: Uint8Array): string;
  /** Gives the script's value, and what it threw. */
  evalContext(
    source: string,
    specifier: string,
  ): [value: unknown, error: { thrown: unknown } | null];
}

const { core } = (Deno as unknown as Record<symbol, { core: Core }>)[
  (Deno as unknown as { internal: symbol }).internal
]!;

/** Compiles a piece of script; its code comes from the cache, where there is one. */
function compileCached(text: string, span: Span): unknown {
  const [value, error] = core.evalContext(asFunction(text), specifierOf(span));
  if (error !== null) throw error.thrown;
  return value;
}

/** The same without; Deno would add to the cache what it does not find there. */
function compile(text: string): unknown {
  return new Function("$runts", "require", text);
}

function evaluate(linked: Linked, span: Span, cached: boolean): void {
  const text = core.decode(read(span));
  const run = (cached ? compileCached(text, span) : compile(text)) as (...args: unknown[]) => void;
  run(linked, (name: string) => linked.modules[name] ??= linked.provided(name));
}

function loadChunk(linked: Linked, name: string, cached: boolean): unknown {
  linked.modules[name] ??= linked.provided(name);
  if (linked.modules[name] === undefined) {
    const [span, needs] = linked.chunks()[name]!;
    for (const needed of needs) loadChunk(linked, needed, cached);
    evaluate(linked, span, cached);
  }
  return linked.modules[name];
}

/**
 * Loads one verb out of the executable; undefined where there is no such verb.
 *
 * @param stays whether the process does, as the front has it (c/front/cold.c)
 */
export function load(verb: string, given: Given, stays: boolean): Promise<Run> | undefined {
  if (!Object.hasOwn(VERBS, verb)) return undefined;
  const [span, cache] = VERBS[verb]!;
  const cached = cache === (stays ? "resident" : "command");
  const linked = { modules: {}, ...given, read } as unknown as Linked;
  linked.import = (chunk) => Promise.resolve().then(() => loadChunk(linked, chunk, cached));
  evaluate(linked, span, cached);
  return Promise.resolve(linked.run);
}

/**
 * Links dist/runts out of the `deno` executable, the bundled script and the front: the way to one
 * file where `deno compile` cannot get its base runtime.
 */

import * as esbuild from "esbuild";
import { dirname, fromFileUrl, join } from "@std/path";
import { assetMark, type Bundle, bundleVerb } from "./link/chunks.ts";
import { type Launch, Layout, writeImage } from "./link/image.ts";
import { makeCodeCache, type Script } from "./link/code_cache.ts";
import { RESIDENT_SUFFIX } from "./link/install.ts";
import type { Cache } from "./link/load.ts";
import type { Span } from "./link/executable.ts";
import { asFunction, specifierOf } from "./link/script.ts";
import { buildFront } from "./link/front.ts";
import { filesBelow, ROOT } from "../support/paths.ts";
import { NATIVE } from "./target.ts";

const HERE = dirname(fromFileUrl(import.meta.url));
/** The sources of the front. */
const FRONT = join(ROOT, "c", "front");

/**
 * Commands end before a compiler in the background would pay, and no memory ever needs to be
 * writable and executable. No local time is ever shown, and its rules take 0.25 ms to be there.
 */
export const V8_FLAGS = `--v8-flags=${[
  "--jitless",
  "--single-threaded",
  "--stack-trace-limit=0",
  "--min-semi-space-size=8",
  "--no-icu-timezone-data",
]}`;

/** For the warm brain: it compiles what it does often, aside, and keeps its heap small. */
const RESIDENT_V8_FLAGS = `--v8-flags=${[
  "--max-semi-space-size=2",
  "--heap-growing-percent=25",
  "--stack-trace-limit=0",
  "--no-icu-timezone-data",
]}`;

/** What Deno is started with, without the flags of V8; ld.so names itself after the first word. */
const DENO = [
  "runts",
  "run",
  "-A",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--ext=js",
];
const ARGV = [...DENO, "--no-code-cache", V8_FLAGS];
/** The cache holds what V8 has compiled before it runs it: all functions, with this flag. */
const CACHED_ARGV = [...DENO, `${V8_FLAGS},--no-lazy`];

const RESIDENT_ARGV = [...DENO, "--no-code-cache", RESIDENT_V8_FLAGS];
const RESIDENT_CACHED_ARGV = [...DENO, `${RESIDENT_V8_FLAGS},--no-lazy`];

/** Variables of Deno, DENO_DIR apart, which the front sets. */
const ENVIRONMENT = [
  "DENO_NO_PROMPT=1",
  // A directory where no .npmrc can be; Deno reads it even with --no-npm.
  "HOME=/proc",
  // Deno does without what cannot be opened; on a terminal it would say so.
  "DENO_LOG=warn,deno::cache=off",
  "DENO_NO_UPDATE_CHECK=1",
];

/** Prefixes of the variables that Deno must not see. */
const DROP = [
  "HOME=",
  "DENO_",
  "NODE_",
  "OTEL_",
  "RUST_",
  "TOKIO_",
  "NPM_CONFIG_",
  "npm_config_",
  "JSR_URL=",
];

/** Where the front puts the main script, in a process with few files open (OWN_FD_MIN in cold.c). */
const MAIN_PATH = "/proc/self/fd/100";

/** The verbs that clients call for each container; the code of the others would double the cache. */
const CACHED_VERBS = [
  "create",
  "delete",
  "exec",
  "kill",
  "lxc",
  "run",
  "settle",
  "start",
  "state",
  "wait",
];

/** The same of a process that stays, and is started anew when it is killed. */
const RESIDENT_VERBS = ["shim"];

/** The parts of the project that go into the executable. */
interface Sources {
  /** Folder that holds main.ts and lib/. */
  root: string;
  verbs: string[];
  /** The helper library, and what it was built from (ffi/build_id.ts). */
  library: string;
  buildId: string;
}

function verbEntry(verb: string): string {
  return `import { runCommand } from "./lib/cli/run.ts";
import { command } from "./lib/commands/${verb}.ts";
export default (args) => runCommand(command, args);`;
}

/** The script that the front starts. */
async function mainScript(
  verbs: Record<string, [span: Span, cache: Cache]>,
  codeCacheAt: number,
): Promise<string> {
  const result = await esbuild.build({
    entryPoints: [join(HERE, "link/main.ts")],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    legalComments: "none",
    logLevel: "silent",
    define: { VERBS: JSON.stringify(verbs), CODE_CACHE_AT: String(codeCacheAt) },
  });
  return result.outputFiles[0]!.text;
}

/** A database behind its length, for tools/build/link/install.ts. */
function withLength(database: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + database.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(database.length));
  bytes.set(database, 8);
  return bytes;
}

/** Path of the cache below the state root; another executable has another one. */
async function cacheName(databases: readonly Uint8Array[]): Promise<string> {
  const all = await new Blob(databases as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  const digest = await crypto.subtle.digest("SHA-256", all);
  return `.code/${new Uint8Array(digest).toHex().slice(0, 16)}`;
}

/**
 * 32 digits that change with the front and with every script: what the one writes down for the other
 * holds for both as they were.
 */
async function frontId({ root, buildId }: Sources, front: Uint8Array): Promise<string> {
  const files = (await filesBelow(join(root, "lib"), ".ts")).sort();
  const texts = await Promise.all(files.map((path) => Deno.readTextFile(path)));
  const all = new TextEncoder().encode([buildId, Deno.version.deno, ...texts].join("\0"));
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array([...front, ...all]));
  return new Uint8Array(digest, 0, 16).toHex();
}

/** The pieces of script in the executable. */
class Scripts {
  readonly #assets = new Map<string, Span>();
  readonly verbs: Record<string, [span: Span, cache: Cache]> = {};
  /** Those of the verbs whose code is cached, by the cache. */
  readonly cached: Record<Exclude<Cache, "">, Script[]> = { command: [], resident: [] };

  constructor(readonly layout: Layout) {}

  /** Adds one verb's pieces. */
  async place(verb: string, bundle: Bundle): Promise<void> {
    for (const path of bundle.assets) {
      if (this.#assets.has(path)) continue;
      this.#assets.set(path, this.layout.add(await Deno.readFile(path)));
    }
    const cache = CACHED_VERBS.includes(verb)
      ? "command"
      : RESIDENT_VERBS.includes(verb)
      ? "resident"
      : "";
    const chunks = bundle.chunks.map(({ name, text, needs }) =>
      [name, [this.#add(this.#fillIn(text), cache), needs]] as const
    );
    const table = `$runts.chunks=()=>(${JSON.stringify(Object.fromEntries(chunks))});`;
    const text = this.#fillIn(bundle.text).replace('"use strict";', `"use strict";${table}`);
    this.verbs[verb] = [this.#add(text, cache), cache];
  }

  #fillIn(text: string): string {
    return this.#assets.entries().reduce(
      (filled, [path, span]) => filled.replaceAll(assetMark(path), JSON.stringify(span)),
      text,
    );
  }

  #add(text: string, cache: Cache): Span {
    const span = this.layout.add(new TextEncoder().encode(text));
    const script = { specifier: specifierOf(span), source: asFunction(text) };
    if (cache !== "") this.cached[cache].push(script);
    return span;
  }
}

/**
 * Writes the executable to `output`.
 *
 * @param denoPath the `deno` executable to start from
 * @param defines options of the compiler of the front
 */
export async function link(
  sources: Sources,
  denoPath: string,
  output: string,
  defines: readonly string[] = [],
  target = NATIVE,
): Promise<void> {
  const [front, deno] = await Promise.all([
    buildFront(FRONT, dirname(output), defines, target),
    Deno.readFile(denoPath),
  ]);
  const ids = { library: sources.buildId, front: await frontId(sources, front) };
  const layout = new Layout(deno.length);
  const scripts = new Scripts(layout);
  try {
    for (const verb of sources.verbs) {
      await scripts.place(verb, await bundleVerb(verbEntry(verb), sources.root, ids));
    }
    const main = await mainScript(scripts.verbs, layout.end);
    const databases: Uint8Array[] = [];
    for (
      const [cache, argv] of [["command", CACHED_ARGV], ["resident", RESIDENT_CACHED_ARGV]] as const
    ) {
      const command = [...target.runner, denoPath, ...argv.slice(1)];
      const database = await makeCodeCache(command, ENVIRONMENT, scripts.cached[cache], {
        text: main,
        path: MAIN_PATH,
      });
      databases.push(database);
      layout.add(withLength(database));
    }
    const name = await cacheName(databases);
    const launch: Launch = {
      argv: ARGV,
      cachedArgv: CACHED_ARGV,
      residentArgv: RESIDENT_ARGV,
      residentCachedArgv: RESIDENT_CACHED_ARGV,
      cacheName: name,
      residentCacheName: `${name}${RESIDENT_SUFFIX}`,
      // The first entry is only there where the stack needs padding.
      environment: ENVIRONMENT,
      frontId: ids.front,
      drop: DROP,
    };
    const script = new TextEncoder().encode(main);
    const library = await Deno.readFile(sources.library);
    await writeImage(output, deno, layout, front, launch, { script, library });
  } finally {
    await esbuild.stop();
  }
}

/**
 * Links dist/runts out of the `deno` executable, the bundled script and a stub: the way to one
 * file where `deno compile` cannot get its base runtime.
 */

import * as esbuild from "esbuild";
import { dirname, fromFileUrl, join } from "@std/path";
import { assetMark, type Bundle, bundleVerb } from "./link/chunks.ts";
import { type Launch, Layout, writeImage } from "./link/image.ts";
import { buildStub } from "./link/stub.ts";
import type { Span } from "./link/load.ts";

const TOOLS = dirname(fromFileUrl(import.meta.url));

/**
 * Commands end before a compiler in the background would pay, and no memory ever needs to be
 * writable and executable.
 */
export const V8_FLAGS = "--v8-flags=--jitless,--single-threaded";

/** How the linked executable starts Deno. */
const LAUNCH: Launch = {
  argv: [
    "deno",
    "run",
    "-A",
    "--no-config",
    "--no-lock",
    "--no-code-cache",
    "--no-remote",
    "--no-npm",
    "--ext=js",
    V8_FLAGS,
  ],
  environment: [
    "DENO_NO_PROMPT=1",
    // A directory where no .npmrc can be; Deno reads it even with --no-npm.
    "HOME=/proc",
    // A place where no file can be made: Deno does without its cache.
    "DENO_DIR=/dev/null/deno",
    // On a terminal it would say so.
    "DENO_LOG=warn,deno::cache=off",
    "DENO_NO_UPDATE_CHECK=1",
  ],
  drop: [
    "HOME=",
    "DENO_",
    "NODE_",
    "OTEL_",
    "RUST_",
    "TOKIO_",
    "NPM_CONFIG_",
    "npm_config_",
    "JSR_URL=",
  ],
};

/** The parts of the project that go into the executable. */
export interface Sources {
  /** Folder that holds main.ts and lib/. */
  root: string;
  verbs: string[];
}

function verbEntry(verb: string): string {
  return `import { runCommand } from "./lib/cli/run.ts";
import { command } from "./lib/commands/${verb}.ts";
export default (args) => runCommand(command, args);`;
}

const encode = (text: string) => new TextEncoder().encode(text);

/** Adds one verb's pieces to the layout; returns the span of its text. */
function placeVerb(layout: Layout, bundle: Bundle, assets: Map<string, Span>): Span {
  const fillIn = (text: string) =>
    bundle.assets.reduce(
      (filled, path) => filled.replaceAll(assetMark(path), JSON.stringify(assets.get(path))),
      text,
    );
  const chunks = bundle.chunks.map(({ name, text, needs }) =>
    [name, [layout.add(encode(fillIn(text))), needs]] as const
  );
  const table = `$runts.chunks=${JSON.stringify(Object.fromEntries(chunks))};`;
  return layout.add(encode(fillIn(bundle.text).replace('"use strict";', `"use strict";${table}`)));
}

/** The script that the stub starts. */
async function mainScript(spans: Record<string, Span>): Promise<string> {
  const result = await esbuild.build({
    entryPoints: [join(TOOLS, "link/main.ts")],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    legalComments: "none",
    logLevel: "silent",
    define: { VERB_SPANS: JSON.stringify(spans) },
  });
  return result.outputFiles[0]!.text;
}

/**
 * Writes the executable to `output`.
 *
 * @param denoPath the `deno` executable to start from
 */
export async function link(sources: Sources, denoPath: string, output: string): Promise<void> {
  const [stub, deno] = await Promise.all([
    buildStub(join(TOOLS, "stub"), dirname(output)),
    Deno.readFile(denoPath),
  ]);
  const layout = new Layout(deno.length);
  const assets = new Map<string, Span>();
  const spans: Record<string, Span> = {};
  try {
    for (const verb of sources.verbs) {
      const bundle = await bundleVerb(verbEntry(verb), sources.root);
      for (const path of bundle.assets) {
        if (!assets.has(path)) assets.set(path, layout.add(await Deno.readFile(path)));
      }
      spans[verb] = placeVerb(layout, bundle, assets);
    }
    const script = encode(await mainScript(spans));
    await writeImage(output, deno, layout, stub, LAUNCH, script);
  } finally {
    await esbuild.stop();
  }
}

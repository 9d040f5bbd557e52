/**
 * Bundles one verb: a text that holds everything it imports statically, and further texts for
 * what it imports with `import()`. Modules that both need exist once, in the first.
 */

import * as esbuild from "esbuild";
import { fromFileUrl } from "@std/path";

/** A piece of script outside the text of the verb. */
interface Chunk {
  name: string;
  text: string;
  /** Chunks that must be loaded before this one. */
  needs: string[];
}

export interface Bundle {
  /** What the verb imports statically. */
  text: string;
  /** What it imports dynamically, in an order in which needs come first. */
  chunks: Chunk[];
  /** Absolute paths of the files that are imported as bytes. */
  assets: string[];
}

/** What the texts know of what they were linked with. */
interface Ids {
  /** Build id of the helper library. */
  library: string;
  /** Of the front, and of all that decides what it may do. */
  front: string;
}

/** One output of the first pass; `needs` are other outputs that it imports. */
interface Output {
  text: string;
  exports: string[];
  needs: string[];
  needsLater: string[];
}

type Outputs = Map<string, Output>;

const COMMON = {
  bundle: true,
  write: false,
  format: "esm",
  platform: "neutral",
  target: "esnext",
  charset: "ascii",
  legalComments: "none",
  logLevel: "silent",
  // The texts are functions, where import.meta would be an error; no file has a place of its own.
  define: { "import.meta.url": '"file:///proc/self/exe"' },
} as const satisfies esbuild.BuildOptions;

/** Replaces `import … with { type: "bytes" }` by a read from the executable. */
function bytesPlugin(assets: Set<string>): esbuild.Plugin {
  return {
    name: "bytes",
    setup(build) {
      build.onLoad({ filter: /.*/ }, ({ path, with: attributes }) => {
        if (attributes.type !== "bytes") return undefined;
        assets.add(path);
        return { contents: `export default $runts.read(${assetMark(path)});`, loader: "js" };
      });
    },
  };
}

/** What the linked executable has in another form. */
const REPLACED: esbuild.Plugin = {
  name: "replaced",
  setup(build) {
    build.onResolve(
      { filter: /\/(begun|build_id|front_id|library_file|own_command|raised_limits)\.ts$/ },
      ({ path }) => ({
        path: fromFileUrl(new URL(baseName(path), import.meta.url)),
      }),
    );
  },
};

/** Stands for the span of an asset until its place is known. */
export function assetMark(path: string): string {
  return JSON.stringify(`asset:${path}`);
}

const nameOf = ({ path }: { path: string }) => baseName(path);

/** First pass: split the graph of `entry` at its dynamic imports. */
async function split(
  entry: string,
  root: string,
  ids: Ids,
  assets: Set<string>,
): Promise<Outputs> {
  const result = await esbuild.build({
    ...COMMON,
    define: {
      ...COMMON.define,
      BUILD_ID: JSON.stringify(ids.library),
      FRONT_ID: JSON.stringify(ids.front),
    },
    stdin: { contents: entry, resolveDir: root, sourcefile: "verb.js" },
    splitting: true,
    outdir: "/",
    metafile: true,
    plugins: [bytesPlugin(assets), REPLACED],
  });
  const outputs: Outputs = new Map();
  const metas = new Map(
    Object.entries(result.metafile.outputs).map(([path, meta]) => [baseName(path), meta]),
  );
  for (const file of result.outputFiles) {
    const name = baseName(file.path);
    const meta = metas.get(name)!;
    const imports = meta.imports.filter((one) => !one.external);
    const needsLater = imports.filter((one) => one.kind === "dynamic-import").map(nameOf);
    outputs.set(name, {
      text: rewriteDynamicImports(file.text, needsLater),
      exports: meta.exports,
      needs: imports.filter((one) => one.kind === "import-statement").map(nameOf),
      needsLater,
    });
  }
  return outputs;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function rewriteDynamicImports(text: string, names: string[]): string {
  for (const name of new Set(names)) {
    const call = `import("./${name}")`;
    if (!text.includes(call)) throw new Error(`no call ${call} in its importer`);
    text = text.replaceAll(call, `$runts.import(${JSON.stringify(name)})`);
  }
  return text;
}

/** The outputs that `name` imports statically, itself last. */
function staticClosure(outputs: Outputs, name: string, seen = new Set<string>()): Set<string> {
  for (const needed of outputs.get(name)!.needs) {
    if (!seen.has(needed)) staticClosure(outputs, needed, seen);
  }
  return seen.add(name);
}

/**
 * Second pass: join `inside` into one text that gives their namespaces; what they import from
 * elsewhere is there by then, and `require` finds it.
 */
async function join(outputs: Outputs, inside: Set<string>, entry: string): Promise<string> {
  const plugin: esbuild.Plugin = {
    name: "chunks",
    setup(build) {
      build.onResolve({ filter: /^\.\// }, ({ path }) => {
        const name = path.slice(2);
        return inside.has(name)
          ? { path: name, namespace: "chunk" }
          : { path: name, external: true };
      });
      build.onLoad({ filter: /.*/, namespace: "chunk" }, ({ path }) => {
        return { contents: outputs.get(path)!.text, loader: "js" };
      });
    },
  };
  const result = await esbuild.build({
    ...COMMON,
    // References to other chunks become properties of what `require` gives, hence stay current.
    format: "cjs",
    stdin: { contents: entry, sourcefile: "join.js" },
    minify: true,
    plugins: [plugin],
  });
  return `"use strict";${result.outputFiles[0]!.text}`;
}

/** Module text that registers a namespace. */
function register(name: string): string {
  return `import * as all from "./${name}"; $runts.modules[${JSON.stringify(name)}] = all;`;
}

/** Module text that makes namespaces when they are asked for; most commands ask for none. */
function provide(outputs: Outputs, names: readonly string[]): string {
  const imports = names.map((name, i) =>
    `import {${
      outputs.get(name)!.exports.map((one, j) => `${one} as m${i}_${j}`)
    }} from "./${name}";`
  );
  const cases = names.map((name, i) => {
    const getters = outputs.get(name)!.exports.map((one, j) =>
      `get ${one}() { return m${i}_${j}; }`
    );
    return `case ${JSON.stringify(name)}: return {${getters}};`;
  });
  return `${imports.join("\n")}\n$runts.provided = (name) => { switch (name) {${
    cases.join("\n")
  }} };`;
}

/**
 * @param entry module text whose default export runs the verb
 * @param root folder that the entry's relative imports start from
 */
export async function bundleVerb(entry: string, root: string, ids: Ids): Promise<Bundle> {
  const assets = new Set<string>();
  const outputs = await split(entry, root, ids, assets);
  const hot = staticClosure(outputs, "stdin.js");
  const cold = new Set<string>();
  for (const name of outputs.keys()) {
    if (!hot.has(name)) staticClosure(outputs, name, cold);
  }
  for (const name of hot) cold.delete(name);
  const provided = [...hot].filter((name) =>
    outputs.values().some((other) => other.needsLater.includes(name)) ||
    cold.values().some((other) => outputs.get(other)!.needs.includes(name))
  );
  const text = await join(
    outputs,
    hot,
    `${provide(outputs, provided)}\nimport run from "./stdin.js"; $runts.run = run;`,
  );
  const chunks = await Promise.all([...cold].map(async (name) => ({
    name,
    text: await join(outputs, new Set([name]), register(name)),
    needs: [...staticClosure(outputs, name)].filter((one) => one !== name && cold.has(one)),
  })));
  return { text, chunks, assets: [...assets] };
}

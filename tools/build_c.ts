/**
 * Compiles c/ into dist/librunts.so:
 *
 *     c/init + c/common    -> dist/runts-init, static, against musl
 *     c/helper + c/common  -> dist/librunts.so, which holds the bytes of runts-init: INIT_PATH
 *
 * Both carry the same build id, a digest of the sources and of how they are compiled.
 */

import { basename, join, relative } from "@std/path";
import { DIST, exists, filesBelow, HELPER, lockDist, ROOT } from "./paths.ts";
import { fail, inParallel, output, run } from "./run.ts";

const C = join(ROOT, "c");
const INIT = join(DIST, "runts-init");
/** Holds the build id of what dist/ has. */
const STAMP = join(DIST, "build-id");
/** Holds the commit that is checked out; empty where that is not known. */
const COMMIT = join(DIST, "commit");

const WARNINGS = ["-Wall", "-Wextra", "-Werror"];
const COMMON = [
  "-std=c11",
  ...WARNINGS,
  "-O2",
  "-fstack-protector-strong",
  `-I${join(C, "include")}`,
  `-I${join(C, "common")}`,
  Deno.build.arch === "x86_64" ? "-fcf-protection" : "-mbranch-protection=standard",
];
const HELPER_FLAGS = [
  ...COMMON,
  "-fPIC",
  "-fvisibility=hidden",
  "-D_FORTIFY_SOURCE=2",
  "-fstack-clash-protection",
];
const HELPER_LINK = ["-shared", "-Wl,-z,relro,-z,now,-z,noexecstack,-z,defs", "-s"];
/** Small, for it is copied into memory whenever runts starts a process. */
const INIT_FLAGS = [
  ...COMMON,
  "-Os",
  "-fno-asynchronous-unwind-tables",
  "-ffunction-sections",
  "-fdata-sections",
];
const INIT_LINK = ["-static", "-Wl,--gc-sections,--build-id=none,-z,noexecstack", "-s"];

/** One of the two programs. */
interface Target {
  compiler: string;
  /** Folders below c/ whose sources belong to it. */
  folders: string[];
  flags: string[];
}

const TARGETS = {
  init: { compiler: "musl-gcc", folders: ["init", "common"], flags: INIT_FLAGS },
  helper: { compiler: "gcc", folders: ["helper", "common"], flags: HELPER_FLAGS },
} as const satisfies Record<string, Target>;

async function buildId(): Promise<string> {
  const self = await Deno.readTextFile(new URL(import.meta.url));
  const parts = [await output("gcc", ["--version"]), self];
  for (const path of await filesBelow(C, "")) {
    parts.push(relative(ROOT, path), await Deno.readTextFile(path));
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\0")));
  return new Uint8Array(digest).toHex().slice(0, 32);
}

/** Compiles the sources of one target; returns the object files. */
async function compile(name: keyof typeof TARGETS, id: string): Promise<string[]> {
  const { compiler, folders, flags } = TARGETS[name];
  const folder = join(DIST, "obj", name);
  await Deno.mkdir(folder, { recursive: true });
  const files = await Promise.all(folders.map((one) => filesBelow(join(C, one), "")));
  const sources = files.flat().filter((path) => /\.[cS]$/.test(path));
  const objects: string[] = [];
  await inParallel(sources, navigator.hardwareConcurrency, async (source) => {
    const object = join(folder, relative(C, source).replaceAll("/", "_").replace(/[cS]$/, "o"));
    objects.push(object);
    const defines = [`-DRUNTS_BUILD_ID="${id}"`, `-DINIT_PATH="${INIT}"`];
    await run(compiler, [...flags, ...defines, "-c", "-o", object, source]);
  });
  return objects.sort();
}

/** As `git describe` says it: with a mark when files differ from the commit. */
async function checkedOut(): Promise<string> {
  try {
    const describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
    return (await output("git", ["-C", ROOT, ...describe])).trim();
  } catch {
    return "";
  }
}

async function build(): Promise<void> {
  using _lock = await lockDist();
  await Deno.writeTextFile(COMMIT, await checkedOut());
  const id = await buildId();
  const isCurrent = await exists(STAMP) && await Deno.readTextFile(STAMP) === id;
  if (isCurrent && await exists(HELPER)) {
    console.log(`build:c: ${basename(HELPER)} is up to date`);
    return;
  }
  const init = await compile("init", id);
  await run("musl-gcc", [...INIT_LINK, "-o", INIT, ...init]);
  const helper = await compile("helper", id);
  // Replaced at once: a runts that starts meanwhile sees the old library or the new one.
  const fresh = `${HELPER}.new`;
  await run("gcc", [...HELPER_LINK, "-o", fresh, ...helper]);
  await Deno.rename(fresh, HELPER);
  await Deno.writeTextFile(STAMP, id);
  const sizes = await Promise.all([INIT, HELPER].map(async (path) => (await Deno.stat(path)).size));
  console.log(`build:c: build ${id}, runts-init ${sizes[0]} bytes, librunts.so ${sizes[1]} bytes`);
}

if (import.meta.main) await build().catch((error) => fail(error.message));

/**
 * Compiles c/ into dist/librunts.so:
 *
 *     c/init + c/common     -> dist/runts-init, static, against musl
 *     c/monitor + c/common  -> dist/runts-monitor, likewise
 *     c/helper + c/common   -> dist/librunts.so, which holds the bytes of both: INIT_PATH, MONITOR_PATH
 *
 * All carry the same build id (ffi/build_id.ts), which is also in dist/build-id.
 */

import { basename, join, relative, toFileUrl } from "@std/path";
import { digestOf, tablesId } from "../../ffi/build_id.ts";
import { DIST, exists, filesBelow, HELPER, lockDist, ROOT } from "../support/paths.ts";
import { fail, inParallel, output, run } from "../support/run.ts";
import { NATIVE, type Target } from "./target.ts";

const C = join(ROOT, "c");
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
];
const HELPER_FLAGS = [
  ...COMMON,
  "-fPIC",
  "-D_FORTIFY_SOURCE=2",
  "-fstack-clash-protection",
];
const HELPER_LINK = [
  "-shared",
  "-Wl,-z,relro,-z,now,-z,noexecstack,-z,defs",
  // Its own calls need not be looked up.
  `-Wl,-Bsymbolic,--version-script=${join(C, "helper", "library.map")}`,
  "-s",
];
/** Small, for they are copied into memory whenever runts starts a process. */
const STATIC_FLAGS = [
  ...COMMON,
  "-Os",
  "-fno-asynchronous-unwind-tables",
  "-ffunction-sections",
  "-fdata-sections",
];
/** Few pages: code and constants are one segment, and small variables stand together. */
const STATIC_LINK = [
  "-static",
  "-Wl,--gc-sections,--build-id=none,-z,noexecstack",
  "-Wl,-z,noseparate-code,--sort-section=alignment",
  "-s",
];

/** One of the programs, or the library. */
interface Part {
  isStatic: boolean;
  /** Folders below c/ whose sources belong to it. */
  folders: string[];
  flags: string[];
}

const PARTS = {
  init: { isStatic: true, folders: ["init", "common"], flags: STATIC_FLAGS },
  monitor: { isStatic: true, folders: ["monitor", "common"], flags: STATIC_FLAGS },
  helper: { isStatic: false, folders: ["helper", "common"], flags: HELPER_FLAGS },
} as const satisfies Record<string, Part>;

/** Where and how a build is made. */
interface Build {
  target: Target;
  folder: string;
  /** Options of the compiler. */
  defines: readonly string[];
}

/** Folders below c/ whose sources go into the library, init and the monitor. */
const FOLDERS = ["common", "helper", "include", "init", "monitor"];

async function buildId(): Promise<string> {
  const files = (await Promise.all(FOLDERS.map((one) => filesBelow(join(C, one), "")))).flat();
  const named = files.sort().map((path) => [relative(ROOT, path), toFileUrl(path)] as const);
  return await digestOf(named) + await tablesId();
}

/** Changes with whatever the outcome of a build depends on. */
async function buildKey(id: string, { target, defines }: Build): Promise<string> {
  const self = await Deno.readTextFile(new URL(import.meta.url));
  return [id, await output(target.gcc, ["--version"]), self, ...defines].join("\0");
}

/** The compiler with its first options. */
function compilerOf({ gcc, musl }: Target, isStatic: boolean): readonly [string, ...string[]] {
  return isStatic ? musl : [gcc];
}

/** Compiles the sources of one part; returns the object files. */
async function compile(
  name: keyof typeof PARTS,
  { target, folder: place, defines }: Build,
): Promise<string[]> {
  const { isStatic, folders, flags } = PARTS[name];
  const [compiler, ...options] = compilerOf(target, isStatic);
  const folder = join(place, "obj", name);
  await Deno.mkdir(folder, { recursive: true });
  const files = await Promise.all(folders.map((one) => filesBelow(join(C, one), "")));
  const sources = files.flat().filter((path) => /\.[cS]$/.test(path));
  const objects: string[] = [];
  await inParallel(sources, navigator.hardwareConcurrency, async (source) => {
    const object = join(folder, relative(C, source).replaceAll("/", "_").replace(/[cS]$/, "o"));
    objects.push(object);
    const all = [...options, ...flags, ...target.flags, ...defines];
    await run(compiler, [...all, "-c", "-o", object, source]);
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

/** Compiles and links one of the static programs. */
async function buildProgram(name: "init" | "monitor", build: Build): Promise<string> {
  const program = join(build.folder, `runts-${name}`);
  const objects = await compile(name, build);
  const [compiler, ...options] = compilerOf(build.target, true);
  await run(compiler, [...options, ...STATIC_LINK, "-o", program, ...objects]);
  return program;
}

/**
 * Builds the programs and the library into a folder, unless they are up to date; says what it did.
 *
 * @param defines options of the compiler; tests have builds of their own
 */
export async function buildLibrary(
  folder: string,
  defines: readonly string[],
  target = NATIVE,
): Promise<string> {
  using _lock = await lockDist();
  const [library, idFile, stamp] = [basename(HELPER), "build-id", "build-key"]
    .map((name) => join(folder, name)) as [string, string, string];
  const id = await buildId();
  const key = await buildKey(id, { target, folder, defines });
  const isCurrent = await exists(stamp) && await Deno.readTextFile(stamp) === key;
  if (isCurrent && await exists(library)) {
    return `build:c: ${basename(library)} is up to date`;
  }
  const build = { target, folder, defines: [`-DRUNTS_BUILD_ID="${id}"`, ...defines] };
  const init = await buildProgram("init", build);
  const monitor = await buildProgram("monitor", build);
  const images = [`-DINIT_PATH="${init}"`, `-DMONITOR_PATH="${monitor}"`];
  const helper = await compile("helper", { ...build, defines: [...build.defines, ...images] });
  // Replaced at once: a runts that starts meanwhile sees the old library or the new one.
  const fresh = `${library}.new`;
  await run(target.gcc, [...HELPER_LINK, "-o", fresh, ...helper]);
  await Deno.rename(fresh, library);
  await Deno.writeTextFile(idFile, id);
  await Deno.writeTextFile(stamp, key);
  const sizes = await Promise.all([init, monitor, library].map(async (path) => {
    return `${basename(path)} ${(await Deno.stat(path)).size} bytes`;
  }));
  return `build:c: build ${id}, ${sizes.join(", ")}`;
}

async function build(): Promise<void> {
  console.log(await buildLibrary(DIST, []));
  await Deno.writeTextFile(COMMIT, await checkedOut());
}

if (import.meta.main) await build().catch((error) => fail(error.message));

/**
 * Makes dist/release: an archive and a Debian package of dist/runts with all that belongs to it, the bill of materials
 * and the sums of them. The same executable gives the same bytes. For another machine, named as the kernel
 * does, the executable is built first, and its files join those that are there.
 *
 *     deno task dist [MACHINE]
 */

import { basename, join } from "@std/path";
import { VERSION } from "../lib/base/version.ts";
import { verbs } from "../lib/commands/load.ts";
import { buildLibrary } from "./build/c.ts";
import { link } from "./build/link.ts";
import { crossTarget, DEBIAN_NAMES, MACHINES, NATIVE, type Target } from "./build/target.ts";
import { DIST, EXECUTABLE, exists, HELPER, ROOT } from "./support/paths.ts";
import { fail, output, run } from "./support/run.ts";
import { checkDeb, makeDeb, REVISION } from "./dist/deb.ts";
import { layOut } from "./dist/layout.ts";
import { billOfMaterials } from "./dist/sbom.ts";
import { setTimes, SUMS, sums, tarGz } from "./dist/archive.ts";

/** What is released. */
const RELEASE = join(DIST, "release");

/** Seconds since 1970 that every file has: of the commit, unless SOURCE_DATE_EPOCH says. */
async function epoch(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH");
  return Number(given ?? await output("git", ["log", "-1", "--format=%ct"]));
}

/** Builds for another machine than this; gives the path of the executable. */
async function build(target: Target): Promise<string> {
  console.log(await buildLibrary(target.folder, [], target));
  const executable = join(target.folder, basename(EXECUTABLE));
  const buildId = await Deno.readTextFile(join(target.folder, "build-id"));
  const library = join(target.folder, basename(HELPER));
  const sources = { root: ROOT, verbs: verbs(true), library, buildId };
  await link(sources, target.deno, executable, [], target);
  return executable;
}

/** The machine of that name, and the executable for it. */
async function builtFor(machine: string): Promise<[target: Target, executable: string]> {
  if (!await exists(EXECUTABLE)) fail(`"${EXECUTABLE}" is missing: run "deno task compile" first`);
  if (machine === NATIVE.machine) {
    if (/^front: [0-9a-f]{32}$/m.test(await output(EXECUTABLE, ["--version"]))) {
      return [NATIVE, EXECUTABLE];
    }
    fail(`"${EXECUTABLE}" has no front, as "deno compile" makes it: set RUNTS_LINK=1, and link it`);
  }
  const other = MACHINES.find((one) => one === machine);
  if (other === undefined) fail(`"${machine}" is no machine: as ${MACHINES.join(" or ")}`);
  await run(Deno.execPath(), ["run", "-A", join(ROOT, "tools/setup.ts"), other]);
  const target = await crossTarget(other);
  return [target, await build(target)];
}

async function dist(machine: string): Promise<void> {
  const [{ runner }, executable] = await builtFor(machine);
  if (machine === NATIVE.machine) await Deno.remove(RELEASE, { recursive: true }).catch(() => {});
  await Deno.mkdir(RELEASE, { recursive: true });
  const time = await epoch();
  const work = await Deno.makeTempDir({ prefix: "runts-dist-" });
  try {
    const [program = executable, ...words] = [...runner, executable];
    const bill = await billOfMaterials([program, ...words], time);
    const name = `runts-${VERSION}-linux-${machine}`;
    await layOut(join(work, "root"), executable, bill);
    await setTimes(join(work, "root"), time);
    await tarGz(join(work, "root"), join(RELEASE, `${name}.tar.gz`), name);
    const arch = DEBIAN_NAMES[machine] ?? machine;
    const deb = join(RELEASE, `runts_${VERSION}-${REVISION}_${arch}.deb`);
    await makeDeb(join(work, "root"), deb, { time, arch });
    await checkDeb(deb);
    await Deno.writeTextFile(join(RELEASE, `${name}.cdx.json`), bill);
    await Deno.writeTextFile(join(RELEASE, SUMS), await sums(RELEASE));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  await run("ls", ["-l", RELEASE]);
}

if (import.meta.main) {
  await dist(Deno.args[0] ?? NATIVE.machine).catch((error) => fail(error.message));
}

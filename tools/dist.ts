/**
 * Makes dist/release: an archive and a Debian package of dist/runts with all that belongs to it, the bill of materials
 * and the sums of them. The same executable gives the same bytes.
 *
 *     deno task dist
 */

import { join } from "@std/path";
import { VERSION } from "../lib/base/version.ts";
import { DIST, EXECUTABLE, exists } from "./support/paths.ts";
import { fail, output, run } from "./support/run.ts";
import { makeDeb, REVISION } from "./dist/deb.ts";
import { layOut } from "./dist/layout.ts";
import { billOfMaterials } from "./dist/sbom.ts";
import { setTimes, sums, tarGz } from "./dist/archive.ts";

/** What is released. */
const RELEASE = join(DIST, "release");

/** What machines are called by the kernel, and by Debian. */
const DEBIAN_NAMES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** Seconds since 1970 that every file has: of the commit, unless SOURCE_DATE_EPOCH says. */
async function epoch(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH");
  return Number(given ?? await output("git", ["log", "-1", "--format=%ct"]));
}

async function dist(release: string): Promise<void> {
  if (!await exists(EXECUTABLE)) fail(`"${EXECUTABLE}" is missing: run "deno task compile" first`);
  const time = await epoch();
  const { arch } = Deno.build;
  await Deno.remove(release, { recursive: true }).catch(() => {});
  await Deno.mkdir(release, { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "runts-dist-" });
  try {
    const bill = await billOfMaterials(time);
    const name = `runts-${VERSION}-linux-${arch}`;
    await layOut(join(work, "root"), bill);
    await setTimes(join(work, "root"), time);
    await tarGz(join(work, "root"), join(release, `${name}.tar.gz`), name);
    const debian = DEBIAN_NAMES[arch] ?? arch;
    const deb = join(release, `runts_${VERSION}-${REVISION}_${debian}.deb`);
    await makeDeb(join(work, "root"), deb, { time, arch: debian });
    await Deno.writeTextFile(join(release, `${name}.cdx.json`), bill);
    await Deno.writeTextFile(join(release, "SHA256SUMS"), await sums(release));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  await run("ls", ["-l", release]);
}

if (import.meta.main) await dist(Deno.args[0] ?? RELEASE).catch((error) => fail(error.message));

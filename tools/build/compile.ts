/**
 * Makes dist/runts: by `deno compile` where Deno's base runtime can be had, by linking otherwise.
 * Prints which way it went.
 */

import { join } from "@std/path";
import { isOurs } from "../../ffi/build_id.ts";
import { BUILD } from "../../ffi/built.ts";
import { verbs } from "../../lib/commands/load.ts";
import { link, V8_FLAGS } from "./link.ts";
import { DIST, EXECUTABLE, exists, HELPER, lockDist, ROOT } from "../support/paths.ts";
import { fail, run } from "../support/run.ts";

/** Where `deno compile` downloads its base runtime from. */
const RELEASES = "https://dl.deno.land/release";
const REACH_TIMEOUT_MS = 3000;

/** Whether `deno compile` would find its base runtime; the reason is for the reader. */
async function baseRuntime(): Promise<{ found: boolean; reason: string }> {
  const given = Deno.env.get("DENORT_BIN");
  if (given) return { found: true, reason: `DENORT_BIN is "${given}"` };
  if (Deno.env.get("RUNTS_LINK")) return { found: false, reason: "RUNTS_LINK is set" };
  const url = `${RELEASES}/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  try {
    const signal = AbortSignal.timeout(REACH_TIMEOUT_MS);
    const response = await fetch(url, { method: "HEAD", signal });
    return response.ok
      ? { found: true, reason: `${url} can be reached` }
      : { found: false, reason: `${url} answers ${response.status}` };
  } catch {
    return { found: false, reason: `DENORT_BIN is not set and ${url} cannot be reached` };
  }
}

/** What the library was built from, which must be what is compiled now. */
async function builtId(): Promise<string> {
  const id = await Deno.readTextFile(join(DIST, "build-id"));
  if (!await isOurs(id)) fail(`"${HELPER}" was built from other sources: ${BUILD}`);
  return id;
}

async function compile(): Promise<void> {
  using _lock = await lockDist();
  if (!await exists(HELPER)) fail(`"${HELPER}" is missing: run "deno task build:c" first`);
  const { found, reason } = await baseRuntime();
  if (found) {
    console.log(`compile: deno compile, because ${reason}`);
    const flags = ["-A", "--no-check", V8_FLAGS, "--include", HELPER, "--output", EXECUTABLE];
    await run(Deno.execPath(), ["compile", ...flags, "main.ts"], { cwd: ROOT });
  } else {
    console.log(`compile: linked, because ${reason}`);
    const sources = { root: ROOT, verbs: verbs(true), library: HELPER, buildId: await builtId() };
    await link(sources, Deno.execPath(), EXECUTABLE);
  }
  const { size } = await Deno.stat(EXECUTABLE);
  console.log(`compile: ${EXECUTABLE}, ${(size / 2 ** 20).toFixed(1)} MiB`);
}

if (import.meta.main) await compile().catch((error) => fail(error.message));

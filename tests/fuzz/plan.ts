/**
 * The decoder of plans in C, beginning with the plans of real configurations: with libFuzzer where
 * clang has it, which looks for inputs that reach new code, else with mutations alone.
 */

import { join } from "@std/path";
import { exists, ROOT } from "../../tools/support/paths.ts";
import { run } from "../../tools/support/run.ts";
import { FLAGS } from "../../tools/test/c.ts";
import { parseSpec } from "../../lib/spec/load.ts";
import { configs } from "../support/fuzz/corpus.ts";
import { execPlansOf, plansOf } from "../support/fuzz/plans.ts";
import type { Budget } from "../support/fuzz/target.ts";

const SOURCES = ["tests/c/decode_fuzz.c", "c/init/decode.c"].map((path) => join(ROOT, path));
/** A plan of podman's takes 10 kB. */
const LONGEST = 32 * 1024;
/** How many mutations the program without libFuzzer makes at a time. */
const BATCH = 1_000_000;

/** Throws when the program ends badly; what it prints tells why. */
export async function fuzzPlan(folder: string, seed: number, budget: Budget): Promise<void> {
  const files = await writePlans(join(folder, "plans"));
  const program = join(folder, "decode_fuzz");
  const libFuzzer = ["-DLIBFUZZER", "-fsanitize=fuzzer"];
  try {
    await run("clang", [...FLAGS, ...libFuzzer, "-o", program, ...SOURCES]);
  } catch {
    await run("gcc", [...FLAGS, "-o", program, ...SOURCES]);
    return await mutate(program, files, seed, budget);
  }
  const found = join(folder, "found");
  await Deno.mkdir(found, { recursive: true });
  await run(program, [
    ...[`-seed=${seed}`, `-max_len=${LONGEST}`, "-print_final_stats=1", "-verbosity=1"],
    ...[`-runs=${budget.runs ?? -1}`, `-max_total_time=${budget.seconds ?? 0}`],
    ...[`-artifact_prefix=${folder}/`, found, join(folder, "plans")],
  ], { cwd: folder });
}

/** Every plan of the corpus as a file. */
async function writePlans(folder: string): Promise<string[]> {
  if (await exists(folder)) await Deno.remove(folder, { recursive: true });
  await Deno.mkdir(folder, { recursive: true });
  const plans = configs().flatMap((text) => {
    const spec = parseSpec(text, "config.json");
    return [...plansOf(spec), ...(spec.process ? execPlansOf(spec, spec.process) : [])];
  });
  return await Promise.all(plans.map(async (plan, index) => {
    const file = join(folder, `${index}.plan`);
    await Deno.writeFile(file, plan);
    return file;
  }));
}

async function mutate(
  program: string,
  files: readonly string[],
  seed: number,
  { runs = Infinity, seconds = Infinity }: Budget,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (let done = 0; done < runs && performance.now() < end; done += BATCH) {
    await run(program, [String(seed + done), String(Math.min(BATCH, runs - done)), ...files]);
  }
}

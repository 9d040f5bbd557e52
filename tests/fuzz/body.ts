/** What a monitor decodes, in C: with libFuzzer where clang has it, else with mutations alone. */

import { join } from "@std/path";
import { ROOT } from "../../tools/support/paths.ts";
import { run } from "../../tools/support/run.ts";
import { FLAGS } from "../../tools/test/c.ts";
import type { Budget } from "../support/fuzz/target.ts";

const SOURCES = ["tests/c/body_fuzz.c", "c/monitor/packet.c"].map((path) => join(ROOT, path));
/** Longest input: a packet has paths and the like. */
const LONGEST = 16 * 1024;
/** How many mutations the program without libFuzzer makes at a time. */
const BATCH = 1_000_000;

/** Throws when the program ends badly; what it prints tells why. */
export async function fuzzBody(folder: string, seed: number, budget: Budget): Promise<void> {
  const { runs = Infinity, seconds = Infinity } = budget;
  await Deno.mkdir(join(folder, "found"), { recursive: true });
  const program = join(folder, "body_fuzz");
  try {
    const libFuzzer = ["-DLIBFUZZER", "-fsanitize=fuzzer"];
    await run("clang", [...FLAGS, ...libFuzzer, "-o", program, ...SOURCES]);
  } catch {
    await run("gcc", [...FLAGS, "-o", program, ...SOURCES]);
    const end = performance.now() + seconds * 1000;
    for (let done = 0; done < runs && performance.now() < end; done += BATCH) {
      await run(program, [String(seed + done), String(Math.min(BATCH, runs - done))]);
    }
    return;
  }
  await run(program, [
    ...[`-seed=${seed}`, `-max_len=${LONGEST}`, "-print_final_stats=1", "-verbosity=1"],
    ...[`-runs=${budget.runs ?? -1}`, `-max_total_time=${budget.seconds ?? 0}`],
    ...[`-artifact_prefix=${folder}/`, join(folder, "found")],
  ], { cwd: folder });
}

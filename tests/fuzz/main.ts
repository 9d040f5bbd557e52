/**
 * Fuzzes what takes input from outside, and reports.
 *
 *     deno task fuzz [--seconds N] [--runs N] [--seed N] [--input FILE] [TARGET]…
 *
 * Without TARGET all of them, each for N seconds (60) or runs. `--input` tries one input again.
 */

import { join } from "@std/path";
import { DIST } from "../../tools/support/paths.ts";
import { fail } from "../../tools/support/run.ts";
import { fuzzBody } from "./body.ts";
import { commandLine } from "./command_line.ts";
import { config } from "./config.ts";
import { failure } from "./failure.ts";
import { fuzzPlan } from "./plan.ts";
import { process } from "./process.ts";
import { seccomp } from "./seccomp.ts";
import { status } from "./status.ts";
import { type Budget, Finding, fuzz, type Report, type Target } from "../support/fuzz/target.ts";

/** Inputs that failed, and what the targets in C make. */
const FOLDER = join(DIST, "fuzz");
const SECONDS = 60;

const TARGETS: Readonly<Record<string, () => Target>> = {
  config,
  process,
  status,
  command_line: commandLine,
  failure,
  seccomp,
};
/** Those in C. */
const IN_C = { plan: fuzzPlan, body: fuzzBody };
const NAMES = [...Object.keys(TARGETS), ...Object.keys(IN_C)];

interface Request {
  readonly targets: readonly string[];
  readonly seed: number;
  readonly budget: Budget;
  readonly input?: string;
}

function read(args: readonly string[]): Request {
  const values = new Map<string, string>();
  const targets: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [, name] = /^--(seconds|runs|seed|input)$/.exec(args[i]!) ?? [];
    if (name !== undefined) values.set(name, args[++i] ?? fail(`--${name} needs a value`));
    else if (NAMES.includes(args[i]!)) targets.push(args[i]!);
    else fail(`no target ${args[i]}: ${NAMES.join(", ")}`);
  }
  const number = (name: string) => {
    const text = values.get(name);
    if (text !== undefined && !/^\d{1,9}$/.test(text)) fail(`--${name} ${text}: not a number`);
    return text === undefined ? undefined : Number(text);
  };
  const [runs, seconds] = [number("runs"), number("seconds")];
  const input = values.get("input");
  return {
    targets: targets.length > 0 ? targets : NAMES,
    seed: number("seed") ?? crypto.getRandomValues(new Uint16Array(1))[0]!,
    budget: runs === undefined
      ? { seconds: seconds ?? SECONDS }
      : { runs, ...(seconds && { seconds }) },
    ...(input !== undefined && { input }),
  };
}

async function main(args: readonly string[]): Promise<void> {
  const { targets, seed, budget, input } = read(args);
  await Deno.mkdir(FOLDER, { recursive: true });
  for (const name of targets) {
    console.log(`== ${name}, seed ${seed} ==`);
    const inC = IN_C[name as keyof typeof IN_C];
    if (inC !== undefined) await inC(join(FOLDER, name), seed, budget);
    else await fuzzTarget(TARGETS[name]!(), seed, budget, input);
  }
}

async function fuzzTarget(
  target: Target,
  seed: number,
  budget: Budget,
  input: string | undefined,
): Promise<void> {
  const begin = performance.now();
  try {
    if (input !== undefined) console.log(await target.attempt(await Deno.readTextFile(input)));
    else {
      const report = await fuzz(target, seed, budget);
      await Deno.writeTextFile(join(FOLDER, `${target.name}-slowest`), report.slowest.input);
      print(target.name, report, performance.now() - begin);
    }
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    const file = join(FOLDER, `${target.name}-${seed}-${error.run}`);
    await Deno.writeTextFile(file, error.input);
    console.error(Deno.inspect(error.cause));
    fail(`${error.message}\ntry it again: deno task fuzz --input ${file} ${target.name}`);
  } finally {
    await target.close?.();
  }
}

function print(name: string, { runs, answers, slowest }: Report, ms: number): void {
  const rare = [...answers].filter(([, count]) => count === 1).length;
  console.log(
    `${name}: ${runs} runs in ${(ms / 1000).toFixed(0)} s (${(runs / ms * 1000).toFixed(0)}/s), ` +
      `${answers.size} different answers, ${rare} of them once; ` +
      `slowest input ${slowest.ms.toFixed(0)} ms`,
  );
}

if (import.meta.main) await main(Deno.args);

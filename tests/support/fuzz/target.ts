/** What is fuzzed, and the loop that does it. */

import { mutateJson } from "./mutate_json.ts";
import { Random } from "./random.ts";

/** A part of the project that takes input from outside. */
export interface Target {
  readonly name: string;
  /** What is known to be good, to begin with. */
  readonly seeds: readonly string[];
  /**
   * Tries an input. Throws when the project misbehaves; otherwise says what became of the input. An
   * answer that was not given before makes its input one to go on from.
   */
  attempt(input: string): string | Promise<string>;
  /** How inputs are changed; by default as JSON. */
  mutate?(random: Random, input: string, others: readonly string[]): string;
  /** Ends what the target has started. */
  close?(): Promise<void>;
}

/** When to stop: whichever comes first. */
export interface Budget {
  readonly runs?: number;
  readonly seconds?: number;
}

export interface Report {
  readonly runs: number;
  /** Different answers. */
  readonly answers: ReadonlyMap<string, number>;
  /** The input that took longest, in ms. */
  readonly slowest: { readonly ms: number; readonly input: string };
}

/** An input that the project does not stand. */
export class Finding extends Error {
  constructor(
    readonly target: string,
    readonly run: number,
    readonly input: string,
    cause: unknown,
  ) {
    super(`${target}: run ${run}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** An input that is larger is tried and not kept. */
const KEPT_LENGTH = 100_000;
const KEPT = 3000;

/** Tries the seeds and then changed inputs. Throws a {@linkcode Finding} at the first fault. */
export async function fuzz(target: Target, seed: number, budget: Budget): Promise<Report> {
  const { runs: most = Infinity, seconds = Infinity } = budget;
  const random = new Random(seed);
  const inputs = [...target.seeds];
  const answers = new Map<string, number>();
  const end = performance.now() + seconds * 1000;
  let slowest = { ms: 0, input: "" };
  let run = 0;
  for (; run < most && performance.now() < end; run++) {
    const input = run < target.seeds.length ? inputs[run]! : next(random, target, inputs);
    const begin = performance.now();
    let answer: string;
    try {
      answer = await target.attempt(input);
    } catch (error) {
      throw new Finding(target.name, run, input, error);
    }
    const ms = performance.now() - begin;
    if (ms > slowest.ms) slowest = { ms, input };
    const known = answers.get(answer) ?? 0;
    answers.set(answer, known + 1);
    if (known === 0 && inputs.length < KEPT && input.length < KEPT_LENGTH) inputs.push(input);
  }
  return { runs: run, answers, slowest };
}

function next(random: Random, target: Target, inputs: readonly string[]): string {
  const { mutate = mutateJson, seeds } = target;
  return mutate(random, random.pick(random.oneIn(3) ? seeds : inputs), inputs);
}

/**
 * Times of single commands, taken by a small program (timer.c): what starts them is part of each time, and Deno
 * takes 2 ms for that, with its threads on the processors beside the command.
 */

import { PROJECT } from "../support/runtime.ts";

/** struct request, struct answer */
const REQUEST = 12;
const ANSWER = 16;
const NS_PER_MS = 1e6;

/** Where the program is, once it has been compiled. */
let directory: Promise<string> | undefined;
/** Those that have nothing to do. */
const idle: Timer[] = [];

async function compile(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "runts-timer-" });
  const flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"];
  const { success, stderr } = await new Deno.Command("gcc", {
    args: [...flags, "-o", `${directory}/timer`, `${PROJECT}/tests/bench/timer.c`],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return directory;
}

/** How long a command took, in ms, and how it ended. */
interface Timed {
  readonly elapsed: number;
  readonly status: number;
}

/** One program that times; one command at a time. */
class Timer {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamBYOBReader;

  constructor(path: string) {
    this.#child = new Deno.Command(path, { stdin: "piped", stdout: "piped" }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.getReader({ mode: "byob" });
  }

  async time(words: readonly string[], variables: readonly string[]): Promise<Timed> {
    const texts = new TextEncoder().encode(
      [...words, ...variables].map((one) => `${one}\0`).join(""),
    );
    const request = new Uint8Array(REQUEST + texts.length);
    const view = new DataView(request.buffer);
    [texts.length, words.length, variables.length].forEach((value, index) =>
      view.setUint32(4 * index, value, true)
    );
    request.set(texts, REQUEST);
    await this.#writer.write(request);
    const { value } = await this.#reader.read(new Uint8Array(ANSWER), { min: ANSWER });
    if (value?.byteLength !== ANSWER) throw new Error("the timer has ended");
    const answer = new DataView(value.buffer);
    return {
      elapsed: Number(answer.getBigInt64(0, true)) / NS_PER_MS,
      status: answer.getInt32(8, true),
    };
  }

  async end(): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
  }
}

/**
 * One execution; its time in ms. What it prints goes nowhere.
 *
 * @param line the executable by its path, and words
 * @param env variables beside those of this process
 */
export async function time(
  line: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  directory ??= compile();
  const timer = idle.pop() ?? new Timer(`${await directory}/timer`);
  const variables = Object.entries({ ...Deno.env.toObject(), ...env });
  const { elapsed, status } = await timer.time(line, variables.map((entry) => entry.join("=")));
  idle.push(timer);
  if (status !== 0) throw new Error(`failed with status ${status}: ${line.join(" ")}`);
  return elapsed;
}

/** Nothing more is going to be timed. */
export async function endTimers(): Promise<void> {
  await Promise.all(idle.splice(0).map((timer) => timer.end()));
  if (directory !== undefined) await Deno.remove(await directory, { recursive: true });
  directory = undefined;
}

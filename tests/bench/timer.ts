/**
 * Times of single commands, taken by a small program (timer.c): what starts them is part of each time, and Deno
 * takes 2 ms for that, with its threads on the processors beside the command.
 */

import { PROJECT } from "../support/runtime.ts";

/** struct request, struct answer */
const REQUEST = 12;
const ANSWER = 16;
const NS_PER_MS = 1e6;

/** What has been compiled, once a process. */
let program: Promise<string> | undefined;
/** Those that have nothing to do. */
const idle: Timer[] = [];

async function compile(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "runts-timer-" });
  const path = `${directory}/timer`;
  const flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"];
  const { success, stderr } = await new Deno.Command("gcc", {
    args: [...flags, "-o", path, `${PROJECT}/tests/bench/timer.c`],
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  return path;
}

/** One program that times; one command at a time. */
class Timer {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamBYOBReader;

  constructor(path: string) {
    const child = new Deno.Command(path, { stdin: "piped", stdout: "piped" }).spawn();
    child.unref(); // it ends with this process
    this.#writer = child.stdin.getWriter();
    this.#reader = child.stdout.getReader({ mode: "byob" });
  }

  async time(words: readonly string[], variables: readonly string[]): Promise<number> {
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
    const status = answer.getInt32(8, true);
    if (status !== 0) throw new Error(`failed with status ${status}: ${words.join(" ")}`);
    return Number(answer.getBigInt64(0, true)) / NS_PER_MS;
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
  program ??= compile();
  const timer = idle.pop() ?? new Timer(await program);
  const variables = Object.entries({ ...Deno.env.toObject(), ...env });
  const elapsed = await timer.time(line, variables.map((entry) => entry.join("=")));
  idle.push(timer);
  return elapsed;
}

import { delay } from "../base/delay.ts";
import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { lxcPath } from "../lxc/place.ts";
import {
  BATCH_HEADING,
  batchLines,
  screenText,
  type Sort,
  sortedRows,
  SORTS,
  topRows,
} from "../lxc/top.ts";
import { LXC_COMMON, versionWanted } from "./lxc_shared.ts";

const SORT_KEYS = Object.keys(SORTS) as [Sort, ...Sort[]];
const PAUSE_SECONDS = 3;
/** The cursor at the beginning, and nothing below it (ECMA-48). */
const CLEAR = "\x1b[H\x1b[J";

export const command = defineCommand({
  name: "lxc top",
  group: "system",
  summary: "show what the containers that run use",
  description: [
    "On a terminal the keys n, c, b, m, s and k sort, r turns the order round, and q ends it.",
  ],
  arguments: {},
  options: {
    ...LXC_COMMON,
    delay: { short: "d", value: "SECONDS", description: "between two screens (default: 3)" },
    batch: { short: "b", description: "lines of numbers, for a file" },
    sort: {
      short: "s",
      value: "KEY",
      choices: SORT_KEYS,
      description: "by name, processor time, blocks, memory, memory with swap, or kernel memory",
    },
    reverse: { short: "r", description: "the other way round" },
  },
  examples: [{ text: "into a file", command: "runts lxc top -b -d 60 > use.csv" }],
  async run(context) {
    const { runtime, options, print } = context;
    if (versionWanted(context)) return;
    const path = lxcPath(runtime, options.lxcpath);
    const pause = pauseOf(options.delay);
    const { batch = false } = options;
    const keys = new Keys(options.sort ?? "n", options.reverse ?? false);
    if (!batch && !Deno.stdout.isTerminal()) {
      throw new RuntsError("the standard output is no terminal", { hint: "use --batch" });
    }
    if (batch) print(BATCH_HEADING);
    else keys.listen();
    while (!keys.isOver) {
      const rows = sortedRows(await topRows(runtime, path), keys.sort, keys.reverse);
      if (batch) print(batchLines(rows, Date.now()));
      else {
        const text = screenText(rows, Deno.consoleSize().rows);
        print(CLEAR + text);
      }
      const waiting = new AbortController();
      await Promise.race([delay(pause, waiting.signal).catch(() => {}), keys.pressed()]);
      waiting.abort();
    }
    keys.end();
    print("\n");
  },
});

function pauseOf(text: string | undefined): number {
  const seconds = text === undefined ? PAUSE_SECONDS : Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  throw new RuntsError(`option "--delay": ${JSON.stringify(text)} is not a number of seconds`);
}

/** What is asked for by the keys of a terminal. */
class Keys {
  isOver = false;
  #pressed = Promise.withResolvers<void>();

  constructor(public sort: Sort, public reverse: boolean) {}

  /** From now on the terminal hands over each key at once. */
  listen(): void {
    if (!Deno.stdin.isTerminal()) return;
    Deno.stdin.setRaw(true, { cbreak: true });
    this.#read();
  }

  end(): void {
    if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(false);
  }

  /** Once a key is pressed, or has been since it was asked for the last time. */
  async pressed(): Promise<void> {
    await this.#pressed.promise;
    this.#pressed = Promise.withResolvers();
  }

  async #read(): Promise<void> {
    const bytes = new Uint8Array(16);
    for (let length; !this.isOver && (length = await Deno.stdin.read(bytes)) !== null;) {
      for (const key of new TextDecoder().decode(bytes.subarray(0, length))) this.#take(key);
      this.#pressed.resolve();
    }
  }

  #take(key: string): void {
    if (key === "q") this.isOver = true;
    else if (key === "r") this.reverse = !this.reverse;
    else this.sort = SORT_KEYS.find((one) => one === key) ?? this.sort;
  }
}

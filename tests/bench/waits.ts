/**
 * Many waits in one script: makes containers that wait to be started, waits for all of them at once
 * while other lifecycles run beside, then starts them. Prints how long the event loop was held up,
 * the threads and the memory that it took; fails when a wait ends with another code than its program.
 * The state root is in memory, as /run is on most hosts. To compare with what this host gives at best,
 * an event loop with nothing but a timer is first measured beside the lifecycles of another process.
 *
 * `deno task bench:waits [CONTAINERS [CALLERS]]`, default: 1000 and 16
 */

import { Container } from "../../mod.ts";
import { QUIET } from "./quiet.ts";
import { Bundle } from "../support/bundle.ts";
import { inTurn } from "../support/load.ts";

/** What this script is given to be the other process, and then state root and bundle. */
const ELSEWHERE = "elsewhere";
/** How long lifecycles run beside, in ms. */
const LOAD_TIME = 5000;

const [containers = 1000, callers = 16] = Deno.args[0] === ELSEWHERE ? [] : Deno.args.map(Number);
/** Exit codes that the programs take turns with. */
const CODES = 100;

const threads = () => Array.from(Deno.readDirSync("/proc/self/task")).length;
const megabytes = () => Deno.memoryUsage().rss / 2 ** 20;

/**
 * Measures how long the event loop takes to come round, without the time in which the thread could
 * have run but others did (proc_pid_schedstat): so a busy machine gives the same figures.
 */
class Stalls {
  #longest = 0;
  #last = 0;
  readonly #schedstat = Deno.openSync("/proc/thread-self/schedstat");
  readonly #timer = setInterval(() => this.#look(), 0);

  #now(): number {
    const bytes = new Uint8Array(64);
    this.#schedstat.seekSync(0, Deno.SeekMode.Start);
    const length = this.#schedstat.readSync(bytes) ?? 0;
    const [, queued] = new TextDecoder().decode(bytes.subarray(0, length)).split(" ");
    return performance.now() - Number(queued) / 1e6;
  }

  #look(): void {
    const now = this.#now();
    if (this.#last > 0) this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }

  /** The longest since it was asked last, in ms. */
  take(): number {
    this.#look();
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#schedstat.close();
  }
}

function report(what: string, begin: number, stalls: Stalls, idle: number): void {
  const took = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(
    `${what}: ${took} s, longest stall ${stalls.take().toFixed(1)} ms, ` +
      `${threads() - idle} threads more than idle, ${megabytes().toFixed(0)} MB resident`,
  );
}

/** Whole lifecycles, again and again, until they are told to end; gives their number. */
async function lifecycles(root: string, bundle: string, until: () => boolean): Promise<number> {
  let done = 0;
  await inTurn(Array.from({ length: callers }, (_, index) => index), callers, async (index) => {
    for (; !until(); done++) {
      const id = `side-${index}-${done}`;
      const config = `${bundle}/config-7`;
      const container = await Container.create({ id, root, bundle, config, ...QUIET });
      await container.start();
      const { code } = await container.wait();
      await container.delete();
      if (code !== 7) throw new Error(`${id} ended with ${code} instead of 7`);
    }
  });
  return done;
}

/** Lifecycles for that long, by another process than ours. */
async function lifecyclesElsewhere(root: string, bundle: string): Promise<string> {
  const args = ["run", "-A", import.meta.filename!, ELSEWHERE, root, bundle];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" })
    .output();
  if (!success) throw new Error("the lifecycles of another process failed");
  return new TextDecoder().decode(stdout).trim();
}

function lifecyclesFor(ms: number, root: string, bundle: string): Promise<number> {
  const begin = performance.now();
  return lifecycles(root, bundle, () => performance.now() - begin > ms);
}

async function bench(root: string, bundle: string): Promise<void> {
  await Deno.readTextFile("/etc/hostname");
  const idle = threads();
  console.log(`idle: ${idle} threads, ${megabytes().toFixed(0)} MB resident`);
  const stalls = new Stalls();
  const numbers = Array.from({ length: containers }, (_, index) => index);
  const all: Container[] = [];

  let begin = performance.now();
  const others = await lifecyclesElsewhere(root, bundle);
  report(`an idle event loop beside ${others} lifecycles of another process`, begin, stalls, idle);

  begin = performance.now();
  const config = `${bundle}/config-0`;
  await using _ = await Container.create({ id: "first", root, bundle, config, ...QUIET });
  report("the first container, for which all is loaded", begin, stalls, idle);

  begin = performance.now();
  await inTurn(numbers, callers, async (index) => {
    const config = `${bundle}/config-${index % CODES}`;
    const options = { id: `wait-${index}`, root, bundle, config, ...QUIET } as const;
    all[index] = await Container.create(options);
  });
  report(`${containers} containers made by ${callers} callers`, begin, stalls, idle);

  begin = performance.now();
  const waits = all.map((container) => container.wait());
  await new Promise((resolve) => setTimeout(resolve, 1));
  report(`${containers} waits begun`, begin, stalls, idle);

  begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  report("nothing but the waits", begin, stalls, idle);

  begin = performance.now();
  const done = await lifecyclesFor(LOAD_TIME, root, bundle);
  report(`${done} lifecycles by ${callers} callers beside them`, begin, stalls, idle);

  begin = performance.now();
  await inTurn(all, callers, (container) => container.start());
  const endings = await Promise.all(waits);
  report("all started and ended", begin, stalls, idle);
  for (const [index, { code }] of endings.entries()) {
    if (code !== index % CODES) throw new Error(`wait-${index} ended with ${code}`);
  }

  begin = performance.now();
  await inTurn(all, callers, (container) => container.delete());
  report("all deleted", begin, stalls, idle);
  stalls.stop();
}

async function main(): Promise<void> {
  const root = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "runts-waits-" });
  try {
    using bundle = new Bundle();
    for (let code = 0; code < CODES; code++) {
      bundle.config.process.args = ["sh", "-c", `exit ${code}`];
      Deno.writeTextFileSync(`${bundle.path}/config-${code}`, JSON.stringify(bundle.config));
    }
    await bench(root, bundle.path);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const [, root = "", bundle = ""] = Deno.args;
if (Deno.args[0] === ELSEWHERE) console.log(await lifecyclesFor(LOAD_TIME, root, bundle));
else await main();

/**
 * `deno task bench`: the commands of runts, without and with a warm brain, of runc and crun side by side in
 * one run, the lifecycle through mod.ts in one process, and an empty Deno script as the floor. Each command is timed back
 * to back and with an idle moment before each run, as in real use. It prints ratios; it is no test.
 *
 * `deno task bench [--quick]`
 */

import { Bundle } from "../support/bundle.ts";
import { exists } from "../support/look.ts";
import { WarmBrain } from "../support/warm.ts";
import { execs, lifecycles } from "./in_process.ts";
import { podmanProfile } from "./profile.ts";
import { type Figures, type Measured, summarize, table } from "./report.ts";
import { installed, whereCrunWorks } from "./runtimes.ts";
import { time } from "./timer.ts";

/** Idle time before each run of the second series, in ms. */
const PAUSE = 150;

const RUNS = Deno.args.includes("--quick") ? 10 : 40;

/** What the containers are made from. */
interface Bundles {
  /** Ends at once. */
  readonly quick: Bundle;
  /** Stays. */
  readonly idle: Bundle;
  /** Stays, with podman's seccomp profile. */
  readonly filtered: Bundle;
}

/** Where compiled seccomp filters are kept, in a state root. */
const CACHES = { runts: ".seccomp", warm: ".seccomp", crun: ".cache", runc: undefined } as const;

/** A runtime, or a way of calling it. */
interface Called {
  readonly name: keyof typeof CACHES;
  readonly line: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** One series of one command: `before` and `after` are not timed. */
interface Series {
  readonly runtime: Called;
  readonly command: string;
  before(id: string): Promise<void>;
  readonly args: (id: string) => readonly string[];
  after(id: string): Promise<void>;
}

function series(runtime: Called, root: string, { quick, idle, filtered }: Bundles): Series[] {
  const { line, env } = runtime;
  const call = async (...args: string[]) => void await time([...line, ...args], env);
  const create = (id: string) => call("create", "--bundle", idle.path, id);
  const remove = (id: string) => call("delete", "--force", id);
  const nothing = () => Promise.resolve();
  const forget = async () => {
    const cache = CACHES[runtime.name];
    if (cache === undefined || !exists(`${root}/${cache}`)) return;
    await Deno.remove(`${root}/${cache}`, { recursive: true });
  };
  const started = async (id: string) => {
    await create(id);
    await call("start", id);
  };
  const one = (
    command: string,
    before: (id: string) => Promise<void>,
    args: (id: string) => readonly string[],
    after: (id: string) => Promise<void>,
  ): Series => ({ runtime, command, before, args, after });
  return [
    one("run", nothing, (id) => ["run", "--bundle", quick.path, id], nothing),
    one("create", nothing, (id) => ["create", "--bundle", idle.path, id], remove),
    one("create, filter new", forget, (id) => ["create", "--bundle", filtered.path, id], remove),
    one("create, filter known", nothing, (id) => ["create", "--bundle", filtered.path, id], remove),
    one("start", create, (id) => ["start", id], remove),
    one("state", create, (id) => ["state", id], remove),
    one("kill", started, (id) => ["kill", id, "KILL"], remove),
    one("delete", create, (id) => ["delete", "--force", id], nothing),
    one("exec", started, (id) => ["exec", id, "/bin/true"], remove),
    one("exec --detach", started, (id) => ["exec", "--detach", id, "/bin/true"], remove),
  ];
}

/** Those that are installed; runts without and with the brain that has this directory. */
function callings(brain: string): Called[] {
  return installed().flatMap(({ name, line }): Called[] =>
    name !== "runts" ? [{ name, line, env: {} }] : [
      { name, line, env: { RUNTS_BRAIN: "" } },
      { name: "warm", line, env: { RUNTS_BRAIN: brain } },
    ]
  );
}

/** Runs all runtimes in turn, so that a busy moment of the host touches each alike. */
async function measure(all: readonly Series[], pause: number): Promise<Measured[]> {
  const times = new Map<Series, number[]>(all.map((one) => [one, []]));
  for (let round = 0; round < RUNS + 1; round++) {
    for (const [index, one] of all.entries()) {
      const id = `b${Deno.pid}-${pause}-${round}-${index}`;
      await one.before(id);
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      const elapsed = await time([...one.runtime.line, ...one.args(id)], one.runtime.env);
      await one.after(id);
      if (round > 0) times.get(one)!.push(elapsed); // the first round warms the caches
    }
  }
  return [...times].map(([{ runtime, command }, list]) => ({
    runtime: runtime.name,
    command,
    figures: summarize(list),
  }));
}

async function floor(pause: number): Promise<Figures> {
  const script = await Deno.makeTempFile({ suffix: ".js" });
  const times: number[] = [];
  for (let round = 0; round < RUNS + 1; round++) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    const elapsed = await time([Deno.execPath(), "run", "-A", script]);
    if (round > 0) times.push(elapsed);
  }
  await Deno.remove(script);
  return summarize(times);
}

async function main(): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "runts-bench-" });
  try {
    using quick = new Bundle();
    using idle = new Bundle((config) => config.process.args = ["sleep", "60"]);
    using filtered = new Bundle((config) => {
      config.process.args = ["sleep", "60"];
      config.linux.seccomp = podmanProfile();
    });
    await using brain = await WarmBrain.start();
    const all = callings(brain.directory).flatMap((runtime) => {
      const own = `${root}/${runtime.name}`;
      const line = [...runtime.line, "--root", own];
      return series({ ...runtime, line }, own, { quick, idle, filtered });
    });
    const load = Deno.loadavg()[0]!.toFixed(2);
    console.log(`${RUNS} runs of each, load ${load}, times in ms: min / median / p90\n`);
    for (const pause of [0, PAUSE]) {
      const runs = pause > 0 ? RUNS : 200;
      const inProcess = {
        lifecycle: await lifecycles(`${root}/own`, quick.path, runs, pause),
        exec: await execs(`${root}/own`, idle.path, runs, pause),
      };
      const title = pause === 0 ? "back to back" : `with a pause of ${pause} ms before each run`;
      console.log(table(title, await floor(pause), await measure(all, pause), inProcess));
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

await whereCrunWorks(import.meta.filename!, main);

/**
 * `deno task bench:warm`: commands through a warm brain beside the same ones through Deno, and beside runc and
 * crun; 500 lifecycles by 16 callers; what a front holds, and the brain until it has carried 10,000 commands
 * out. It prints ratios; it is no test.
 *
 * `deno task bench:warm [--quick] [SERIES…]`, one or more of: back-to-back, pauses, list, throughput, memory, front
 */

import { Bundle } from "../support/bundle.ts";
import { WarmBrain } from "../support/warm.ts";
import { podmanProfile } from "./profile.ts";
import { type Measured, plainTable, summarize } from "./report.ts";
import { installed, whereCrunWorks } from "./runtimes.ts";
import { time } from "./timer.ts";
import { type Called, frontMemory, grow, throughput } from "./warm_load.ts";

/** Idle time before each run of the second series, in ms. */
const PAUSE = 150;
const QUICK = Deno.args.includes("--quick");
const RUNS = QUICK ? 10 : 40;
/** Containers of a long list. */
const LISTED = 100;
const LIVES = QUICK ? 64 : 500;
/** Commands of the brain until the end. */
const COMMANDS = QUICK ? 1000 : 10_000;

/** What is timed, in this order, on one container. */
const STEPS: readonly (readonly [name: string, args: (id: string, bundle: string) => string[]])[] =
  [
    ["create", (id, bundle) => ["create", "--bundle", bundle, id]],
    ["start", (id) => ["start", id]],
    ["pause", (id) => ["pause", id]],
    ["resume", (id) => ["resume", id]],
    ["ps", (id) => ["ps", id]],
    ["ps --format json", (id) => ["ps", "--format", "json", id]],
    ["update", (id) => ["update", "--pids-limit", "99", id]],
    ["exec", (id) => ["exec", id, "/bin/true"]],
    ["list", () => ["list", "--quiet"]],
    ["kill", (id) => ["kill", id, "KILL"]],
    ["delete", (id) => ["delete", "--force", id]],
  ];

/** All of them in turn, so that a busy moment of the host touches each alike. */
async function measure(
  all: readonly Called[],
  { idle, quick, filtered }: Bundles,
  pause: number,
): Promise<Measured[]> {
  const bundle = idle.path;
  const times = new Map<string, number[]>();
  for (let round = 0; round < RUNS + 1; round++) {
    for (const { name, call } of all) {
      const id = `w${Deno.pid}-${pause}-${round}`;
      const timed = async (step: string, args: readonly string[]) => {
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
        const elapsed = await call(...args);
        const key = `${step}\0${name}`;
        // The first round warms the caches.
        if (round > 0) times.set(key, [...times.get(key) ?? [], elapsed]);
      };
      for (const [step, args] of STEPS) await timed(step, args(id, bundle));
      // One of its own: it ends once somebody has reaped what was executed in it, and delete waits for that.
      await call("create", "--bundle", bundle, id);
      await call("start", id);
      await timed("exec --detach", ["exec", "--detach", id, "/bin/true"]);
      await call("delete", "--force", id);
      await timed("run", ["run", "--bundle", quick.path, id]);
      await timed("create, with podman's profile", ["create", "--bundle", filtered.path, id]);
      await call("delete", "--force", id);
    }
  }
  return [...times].map(([key, list]) => {
    const [command = "", runtime = ""] = key.split("\0");
    return { runtime, command, figures: summarize(list) };
  });
}

/** What the containers are made from: they stay, end at once, say that they run and stay, have a filter. */
interface Bundles {
  readonly idle: Bundle;
  readonly quick: Bundle;
  readonly said: Bundle;
  readonly filtered: Bundle;
}

/** The list of many containers. */
async function lists(all: readonly Called[], bundle: string): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const { name, call } of all) {
    const ids = Array.from({ length: LISTED }, (_, index) => `m${Deno.pid}-${index}`);
    for (const id of ids) await call("create", "--bundle", bundle, id);
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) times.push(await call("list"));
    for (const id of ids) await call("delete", "--force", id);
    measured.push({ runtime: name, command: `list of ${LISTED}`, figures: summarize(times) });
  }
  return measured;
}

/** What a series has at hand: the first of all is the warm one. */
interface Bench {
  readonly root: string;
  readonly all: readonly Called[];
  readonly brain: WarmBrain;
  readonly bundles: Bundles;
}

/** Each prints what it has measured. */
const SERIES: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  async "back-to-back"({ all, bundles }) {
    console.log(plainTable("back to back", await measure(all, bundles, 0)));
  },
  async pauses({ all, bundles }) {
    const title = `with a pause of ${PAUSE} ms before each command`;
    console.log(plainTable(title, await measure(all, bundles, PAUSE)));
  },
  async list({ all, bundles: { idle } }) {
    console.log(plainTable("back to back", await lists(all, idle.path)));
  },
  async throughput({ all, brain, bundles: { idle } }) {
    for (const one of all) {
      console.log(await throughput(one, { bundle: idle.path, lives: LIVES }, brain));
    }
  },
  async memory({ root, all, brain, bundles: { idle } }) {
    await grow(all[0]!, brain, { bundle: idle.path, commands: COMMANDS, root });
  },
  async front({ root, all, brain, bundles: { said } }) {
    const id = `f${Deno.pid}`;
    const line = [...installed()[0]!.line, "--root", `${root}/warm`];
    const words = ["run", "--bundle", said.path, id];
    console.log(await frontMemory([...line, ...words], { RUNTS_BRAIN: brain.directory }));
    await all[0]!.call("delete", "--force", id);
  },
};

/** Those that the command line names. */
function chosen(): string[] {
  const named = Deno.args.filter((word) => !word.startsWith("--"));
  const unknown = named.find((name) => !Object.hasOwn(SERIES, name));
  if (unknown !== undefined) throw new Error(`there is no series ${unknown}`);
  return named.length > 0 ? named : Object.keys(SERIES);
}

async function main(): Promise<void> {
  const names = chosen();
  const root = await Deno.makeTempDir({ prefix: "runts-bench-" });
  try {
    await using brain = await WarmBrain.start();
    using idle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
    using quick = new Bundle();
    using said = new Bundle(({ process }) => process.args = ["sh", "-c", "echo; exec sleep 1000"]);
    using filtered = new Bundle((config) => {
      config.process.args = ["sleep", "1000"];
      config.linux.seccomp = podmanProfile();
    });
    const called = (name: string, line: string[], env: Record<string, string>): Called => ({
      name,
      call: (...args) => time([...line, "--root", `${root}/${name}`, ...args], env),
    });
    const all = installed().flatMap(({ name, line }) =>
      name === "runts"
        ? [
          called("warm", line, { RUNTS_BRAIN: brain.directory }),
          called("cold", line, { RUNTS_BRAIN: "" }),
        ]
        : [called(name, line, {})]
    );
    const load = Deno.loadavg()[0]!.toFixed(2);
    console.log(`${RUNS} runs of each, load ${load}, times in ms: min / median / p90\n`);
    const bench = { root, all, brain, bundles: { idle, quick, said, filtered } };
    for (const name of names) await SERIES[name]!(bench);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

await whereCrunWorks(import.meta.filename!, main);

/**
 * `deno task bench:warm`: commands through a warm brain beside the same ones through Deno, and beside runc and
 * crun; 500 lifecycles by 16 callers; the memory of a front, and of the brain until it has carried 10,000 commands
 * out. It prints ratios; it is no test.
 *
 * `deno task bench:warm [--quick] [SERIES …]`: all, or of these: back-to-back pauses list throughput memory front
 */

import { Bundle } from "../support/bundle.ts";
import { WarmBrain } from "../support/warm.ts";
import { podmanProfile } from "./profile.ts";
import { type Measured, plainTable, summarize } from "./report.ts";
import { installed, time, whereCrunWorks } from "./runtimes.ts";

/** Idle time before each run of the second series, in ms. */
const PAUSE = 150;
const RUNS = Deno.args.includes("--quick") ? 10 : 40;
const CALLERS = 16;
const LIVES = Deno.args.includes("--quick") ? 64 : 500;
const KIB = 1024;
/** Commands of the brain until the end, and after how many its memory is told. */
const COMMANDS = Deno.args.includes("--quick") ? 1000 : 10_000;
const TOLD = COMMANDS / 4;
/** Containers of a long list. */
const LISTED = 100;

/** A runtime, or a way of calling it. */
interface Called {
  readonly name: string;
  readonly call: (...args: string[]) => Promise<number>;
}

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

/** What the containers are made from: one that stays, one that ends at once, one with a filter. */
interface Bundles {
  readonly idle: Bundle;
  readonly quick: Bundle;
  readonly filtered: Bundle;
}

/** Whole lives of containers by several callers; how many a second. */
async function throughput({ call }: Called, bundle: string): Promise<number> {
  let next = 0;
  const start = performance.now();
  const caller = async () => {
    for (let life; (life = next++) < LIVES;) {
      const id = `l${Deno.pid}-${life}`;
      await call("create", "--bundle", bundle, id);
      await call("start", id);
      await call("delete", "--force", id);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return LIVES / (performance.now() - start) * 1000;
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

/** Resident memory of a process, in kB. */
function resident(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** The memory of a front that waits for a program. */
async function frontMemory(line: readonly string[], env: Record<string, string>): Promise<number> {
  const front = new Deno.Command(line[0]!, { args: line.slice(1), env, stdout: "piped" }).spawn();
  const reader = front.stdout.getReader();
  await reader.read(); // the program runs
  const memory = resident(front.pid);
  front.kill("SIGKILL");
  await reader.cancel();
  await front.status;
  return memory;
}

/** Commands by several callers until the brain has carried so many out; prints what it takes meanwhile. */
async function grow({ call }: Called, brain: WarmBrain, bundle: string): Promise<void> {
  const id = `g${Deno.pid}`;
  await call("create", "--bundle", bundle, id);
  await call("start", id);
  const start = await brain.done();
  let told = 0;
  for (let done = 0; done < COMMANDS; done = await brain.done() - start) {
    if (done >= told) {
      console.log(`brain after ${done} commands: ${(resident(brain.pid) / KIB).toFixed(0)} MB`);
      told += TOLD;
    }
    await Promise.all(Array.from({ length: CALLERS }, async (_, index) => {
      const other = `${id}-${index}`;
      await call("create", "--bundle", bundle, other);
      for (let count = 0; count < 3; count++) await call("exec", "--detach", id, "/bin/true");
      await call("delete", "--force", other);
    }));
  }
  console.log(`brain at the end: ${(resident(brain.pid) / KIB).toFixed(0)} MB`);
  await call("delete", "--force", id);
}

async function throughputs(all: readonly Called[], bundle: string): Promise<void> {
  for (const one of all) {
    const rate = (await throughput(one, bundle)).toFixed(0);
    console.log(`${LIVES} containers by ${CALLERS} callers, ${one.name}: ${rate} a second`);
  }
}

/** The series that the command line names; all if it names none. */
function asked(series: readonly string[]): readonly string[] {
  const names = Deno.args.filter((word) => !word.startsWith("--"));
  const unknown = names.filter((name) => !series.includes(name));
  if (unknown.length > 0) throw new Error(`${unknown.join(", ")}: not of ${series.join(", ")}`);
  return names.length > 0 ? names : series;
}

async function main(): Promise<void> {
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
          called("runts", line, { RUNTS_BRAIN: brain.directory }),
          called("cold", line, { RUNTS_BRAIN: "" }),
        ]
        : [called(name, line, {})]
    );
    const load = Deno.loadavg()[0]!.toFixed(2);
    console.log(`${RUNS} runs of each, load ${load}, times in ms: min / median / p90\n`);
    const bundles = { idle, quick, filtered };
    const series: Readonly<Record<string, () => Promise<void>>> = {
      "back-to-back": async () =>
        console.log(plainTable("back to back", await measure(all, bundles, 0))),
      pauses: async () => {
        const title = `with a pause of ${PAUSE} ms before each command`;
        console.log(plainTable(title, await measure(all, bundles, PAUSE)));
      },
      list: async () => console.log(plainTable("back to back", await lists(all, idle.path))),
      throughput: () => throughputs(all, idle.path),
      memory: () => grow(all[0]!, brain, idle.path),
      front: async () => {
        const line = [...installed()[0]!.line, "--root", `${root}/runts`];
        const words = ["run", "--bundle", said.path, `f${Deno.pid}`];
        const memory = await frontMemory([...line, ...words], { RUNTS_BRAIN: brain.directory });
        console.log(`front: ${memory} kB`);
        await all[0]!.call("delete", "--force", `f${Deno.pid}`);
      },
    };
    for (const name of asked(Object.keys(series))) await series[name]!();
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

await whereCrunWorks(import.meta.filename!, main);

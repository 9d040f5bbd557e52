/**
 * `deno task bench:warm`: commands through a warm brain beside the same ones through Deno, and beside runc and
 * crun; 500 lifecycles by 16 callers; the memory of the brain afterwards. It prints ratios; it is no test.
 *
 * `deno task bench:warm [--quick]`
 */

import { Bundle } from "../support/bundle.ts";
import { WarmBrain } from "../support/warm.ts";
import { type Measured, plainTable, summarize } from "./report.ts";
import { installed, time, whereCrunWorks } from "./runtimes.ts";

/** Idle time before each run of the second series, in ms. */
const PAUSE = 150;
const RUNS = Deno.args.includes("--quick") ? 10 : 40;
const CALLERS = 16;
const LIVES = Deno.args.includes("--quick") ? 64 : 500;
const KIB = 1024;

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
    ["list", () => ["list", "--quiet"]],
    ["kill", (id) => ["kill", id, "KILL"]],
    ["delete", (id) => ["delete", "--force", id]],
  ];

/** All of them in turn, so that a busy moment of the host touches each alike. */
async function measure(all: readonly Called[], bundle: string, pause: number): Promise<Measured[]> {
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
    }
  }
  return [...times].map(([key, list]) => {
    const [command = "", runtime = ""] = key.split("\0");
    return { runtime, command, figures: summarize(list) };
  });
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

/** Resident memory of a process, in MB. */
function resident(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / KIB;
}

async function main(): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "runts-bench-" });
  try {
    await using brain = await WarmBrain.start();
    using bundle = new Bundle((config) => config.process.args = ["sleep", "60"]);
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
    for (const pause of [0, PAUSE]) {
      const title = pause === 0
        ? "back to back"
        : `with a pause of ${pause} ms before each command`;
      console.log(plainTable(title, await measure(all, bundle.path, pause)));
    }
    for (const one of all) {
      const rate = (await throughput(one, bundle.path)).toFixed(0);
      console.log(`${LIVES} containers by ${CALLERS} callers, ${one.name}: ${rate} a second`);
    }
    const status = await new Deno.Command(installed()[0]!.line[0]!, {
      args: ["serve", "--status"],
      env: { RUNTS_BRAIN: brain.directory },
    }).output();
    console.log(new TextDecoder().decode(status.stdout).trimEnd());
    console.log(`resident, by the kernel: ${resident(brain.pid).toFixed(0)} MB`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

await whereCrunWorks(import.meta.filename!, main);

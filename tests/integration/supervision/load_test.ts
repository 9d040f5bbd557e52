/**
 * Many supervised containers by many callers, while commands and monitors are killed: every exit status is
 * right or said to be lost, and nothing is left. RUNTS_TEST_SUPERVISED says how many.
 */

import { assert, assertEquals } from "@std/assert";
import type { Bundle, Config } from "../../support/bundle.ts";
import { Random } from "../../support/fuzz/random.ts";
import { hasProcesses, mountsOn, type TestRuntime } from "../../support/host.ts";
import { BrainKiller, killIfThere, zombies } from "../../support/killer.ts";
import { inTurn } from "../../support/load.ts";
import { commandLine, RUNTIME, until } from "../../support/runtime.ts";
import { eventTypes, record, supervisionTest } from "../../support/supervised.ts";

const CONTAINERS = Number(Deno.env.get("RUNTS_TEST_SUPERVISED") ?? "32");
const CALLERS = 16;
const SEED = 20_261_130;
/** A command may take this long, in ms: sixteen share two processors. */
const BOUND = 120_000;
/** `list` may take this long with all of them there, in ms: a few times what it needs. */
const LIST_BOUND = 1_000;

/** What becomes of a container. */
interface Fate {
  readonly options: readonly string[];
  /** A line for sh. */
  readonly script: string;
  /** What happens to it, until it has ended for good. */
  live(subject: Subject): Promise<void>;
  /** What `wait` says then; undefined: that it is lost. */
  readonly code: number | undefined;
  /** How often it was started anew, at least: attempts that were killed count. */
  readonly restarts: number;
}

interface Subject {
  readonly runtime: TestRuntime;
  readonly id: string;
}

/** A container of its own code for each number; the codes differ from each other, and from those of signals. */
function fateOf(index: number): Fate {
  const code = 1 + Math.floor(index / FATES.length) % 100;
  return FATES[index % FATES.length]!(code);
}

const FATES: readonly ((code: number) => Fate)[] = [
  (code) => ({
    options: ["--supervised"],
    script: `echo one; exit ${code}`,
    live: () => Promise.resolve(),
    code,
    restarts: 0,
  }),
  (code) => ({
    options: ["--restart", "on-failure:2", "--restart-delay", "10ms"],
    script: `echo one; exit ${code}`,
    live: () => Promise.resolve(),
    code,
    restarts: 2,
  }),
  () => ({
    options: ["--restart", "always", "--restart-delay", "10ms"],
    script: "exec sleep 1000",
    live: killAndStop,
    code: 137,
    restarts: 1,
  }),
  () => ({
    options: ["--supervised"],
    script: "exec sleep 1000",
    live: loseMonitor,
    code: undefined,
    restarts: 0,
  }),
];

/** Killed, it is started anew; then it is stopped. */
async function killAndStop({ runtime, id }: Subject): Promise<void> {
  const first = record(runtime, id, "status").pid;
  const waiting = runtime.run(["wait", id], { timeout: BOUND });
  await runtime.ok(["kill", id, "KILL"]);
  await until(`${id} runs again`, async () => {
    const { status, pid } = await runtime.state(id);
    return status === "running" && pid !== first;
  }, BOUND);
  await runtime.ok(["stop", "--timeout", "0", id], { timeout: BOUND });
  assertEquals(await waiting, { code: 0, stdout: "137\n", stderr: "" }, id);
}

/** Without its monitor it goes on; how it ends then is nobody's to know. */
async function loseMonitor({ runtime, id }: Subject): Promise<void> {
  assert(killIfThere(record(runtime, id, "supervised.json").monitor.pid));
  await until(`the monitor of ${id} is gone`, async () => {
    return (await runtime.ok(["inspect", id])).includes('"monitor": "lost"');
  });
  assertEquals((await runtime.state(id)).status, "running");
  await runtime.ok(["kill", id, "KILL"]);
}

/** Starts it; one in eight times whoever does is killed meanwhile, and somebody else begins anew. */
async function start({ runtime, id }: Subject, path: string, fate: Fate, random: Random) {
  const words = ["run", "--detach", ...fate.options, "--bundle", path, id];
  if (random.oneIn(8)) {
    const [executable = "", ...args] = commandLine(RUNTIME, ["--root", runtime.root, ...words]);
    const streams = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const process = new Deno.Command(executable, { args, ...streams }).spawn();
    const timer = setTimeout(() => killIfThere(process.pid), random.below(120));
    await process.status;
    clearTimeout(timer);
    await runtime.ok(["delete", "--force", id], { timeout: BOUND });
  }
  await runtime.ok(words, { timeout: BOUND });
}

/** A bundle for each, on the same root filesystem. */
function makeBundle(bundle: Bundle, index: number, script: string): string {
  const path = `${bundle.path}/${index}`;
  const config: Config = structuredClone(bundle.config);
  config.root.path = bundle.rootfs;
  config.process.args = ["sh", "-c", script];
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/config.json`, JSON.stringify(config));
  return path;
}

/** How it ended, and how often it was started anew. */
async function assertEnd({ runtime, id }: Subject, fate: Fate): Promise<void> {
  const output = await runtime.run(["wait", id], { timeout: BOUND });
  if (fate.code !== undefined) {
    assertEquals(output, { code: 0, stdout: `${fate.code}\n`, stderr: "" }, id);
  } else {
    const stderr = `runts: wait "${id}": it has ended, and how is lost: ` +
      "its monitor had ended before it did\n";
    assertEquals(output, { code: 1, stdout: "", stderr });
  }
  const { restarts } = record(runtime, id, "supervised.json");
  assert(restarts >= fate.restarts, `${id}: ${restarts} restarts`);
  if (fate.restarts === 0) assertEquals(restarts, 0);
}

/** All of them are listed, and soon. */
async function assertListed(runtime: TestRuntime, ids: readonly string[]): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    const listed = await runtime.ok(["list", "--quiet"]);
    took.push(performance.now() - before);
    assertEquals(listed.trim().split("\n").sort(), [...ids].sort());
  }
  const best = Math.min(...took);
  console.log(`list of ${ids.length}: ${best.toFixed(0)} ms`);
  assert(best < LIST_BOUND, `list took ${took.join(", ")} ms`);
}

supervisionTest(`${CONTAINERS} containers by ${CALLERS} callers, killed at random`, async (
  runtime,
  bundle,
) => {
  const random = new Random(SEED);
  const before = zombies();
  const fates = Array.from({ length: CONTAINERS }, (_, index) => {
    const fate = fateOf(index);
    const path = makeBundle(bundle, index, fate.script);
    return { subject: { runtime, id: runtime.id() }, fate, path };
  });
  const ids = fates.map(({ subject }) => subject.id);
  {
    await using killer = new BrainKiller(runtime, random, 3);
    await inTurn(fates, CALLERS, async ({ subject, fate, path }) => {
      await start(subject, path, fate, random);
      await fate.live(subject);
    });
    await inTurn(fates, CALLERS, ({ subject, fate }) => assertEnd(subject, fate));
    assert(killer.killed > 0, "no command was killed");
  }
  await assertListed(runtime, ids);
  await inTurn(ids, CALLERS, async (id) => {
    assertEquals(
      eventTypes(runtime, id).includes("exited"),
      fateOf(ids.indexOf(id)).code !== undefined,
    );
    await runtime.ok(["delete", id], { timeout: BOUND });
    assertEquals(eventTypes(runtime, id).at(-1), "removed");
  });
  assertEquals(mountsOn(bundle), []);
  await until("no process is left", () => !hasProcesses(bundle));
  let left = zombies().filter((pid) => !before.includes(pid));
  await until("no zombie is left", () => {
    const now = zombies();
    left = left.filter((pid) => now.includes(pid));
    return left.length === 0;
  });
});

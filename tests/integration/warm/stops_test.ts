/**
 * SIGKILL to the brain, and to the front, before every message that it sends: what is left goes with
 * `delete --force`, the front says what has happened, and the next command works.
 */

import { assert, assertEquals } from "@std/assert";
import { findVerb } from "../../../lib/cli/dispatch.ts";
import { WARM_VERBS } from "../../../lib/commands/warm.ts";
import { Bundle } from "../../support/bundle.ts";
import { idle, tell } from "../../support/cold.ts";
import {
  cgroupDirectories,
  hasProcesses,
  type TestRuntime,
  withRuntime,
} from "../../support/host.ts";
import { hook } from "../../support/hooks.ts";
import { type Output, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { killBefore } from "../../support/strace.ts";
import { WarmBrain } from "../../support/warm.ts";

/** A command, and those before it. BUNDLE and ID stand for what is the test's. */
interface Scene {
  readonly line: readonly string[];
  readonly before?: readonly string[][];
  /** In the foreground: a front that has lost the brain by then goes on by itself. */
  readonly alone?: true;
}

const CREATE = ["create", "--bundle", "BUNDLE", "ID"];
const RUNNING = [CREATE, ["start", "ID"]];
const SUPERVISED = [["create", "--supervised", "--bundle", "BUNDLE", "ID"], ["start", "ID"]];
const STOP = ["stop", "--timeout", "10ms", "ID"];

/** Without hooks, for which init would wait. */
const PLAIN = ["--bundle", "BUNDLE", "--config", "BUNDLE/plain.json", "ID"];

const SCENES: readonly Scene[] = [
  { line: CREATE },
  { line: ["create", ...PLAIN] },
  { line: ["run", "--detach", ...PLAIN] },
  { line: ["start", "ID"], before: [CREATE] },
  { line: ["delete", "--force", "ID"], before: RUNNING },
  { line: ["exec", "--detach", "ID", "sleep", "1000"], before: RUNNING },
  { line: ["exec", "ID", "true"], before: RUNNING, alone: true },
  { line: ["run", "--detach", "--bundle", "BUNDLE", "ID"] },
  { line: ["run", "--bundle", "BUNDLE", "--config", "BUNDLE/short.json", "ID"], alone: true },
  { line: ["pause", "ID"], before: RUNNING },
  { line: ["resume", "ID"], before: [...RUNNING, ["pause", "ID"]] },
  { line: ["kill", "--all", "ID", "WINCH"], before: RUNNING },
  { line: ["update", "--pids-limit", "99", "ID"], before: RUNNING },
  { line: ["events", "--stats", "ID"], before: RUNNING },
  { line: ["ps", "ID"], before: RUNNING },
  { line: ["list", "--filter", "status=created"], before: [CREATE] },
  { line: ["features"] },
  { line: ["inspect", "ID"], before: [CREATE] },
  { line: STOP, before: SUPERVISED },
  { line: ["wait", "ID"], before: [...SUPERVISED, STOP] },
  { line: ["settle", "ID"], before: [...SUPERVISED, STOP] },
  { line: ["logs", "--tail", "1", "ID"], before: SUPERVISED },
  { line: ["--debug", "state", "ID"], before: [CREATE] },
];

const ENDED = "runts: the warm brain ended while it was at work on the command; " +
  "what is left of it goes with delete --force\n";

/** A scene that is about to be played. */
class Play implements Disposable {
  readonly #bundle = new Bundle((config) => {
    idle(config);
    // They bring start and delete to the brain.
    config.hooks = { poststart: [hook("exit 0")], poststop: [hook("exit 0")] };
  });
  readonly id: string;

  constructor(readonly runtime: TestRuntime) {
    this.id = runtime.id();
    const { config, path } = this.#bundle;
    const short = { ...config, process: { ...config.process, args: ["true"] } };
    Deno.writeTextFileSync(`${path}/short.json`, JSON.stringify(short));
    const { hooks: _, ...plain } = config;
    Deno.writeTextFileSync(`${path}/plain.json`, JSON.stringify(plain));
  }

  words(line: readonly string[]): string[] {
    const words = line.map((word) =>
      word.replace(/^BUNDLE/, this.#bundle.path).replace(/^ID$/, this.id)
    );
    return ["--root", this.runtime.root, ...words];
  }

  /** Does what comes before. */
  async prepare({ before = [] }: Scene): Promise<void> {
    for (const line of before) {
      const { code, stderr } = await tell(this.words(line));
      assertEquals({ code, stderr }, { code: 0, stderr: "" }, line.join(" "));
    }
  }

  /** Whatever is left of the container goes; `where` is told if not. */
  async assertRemovable(where: string): Promise<void> {
    await this.runtime.assertRemovable(this.id);
    const cgroups = cgroupDirectories("/sys/fs/cgroup", 4).filter((path) => path.endsWith(this.id));
    assertEquals({ where, cgroups }, { where, cgroups: [] });
    await until("no process of it is left", () => !hasProcesses(this.#bundle));
  }

  [Symbol.dispose](): void {
    this.#bundle[Symbol.dispose]();
  }
}

/** What strace(1) says when the next system call will be seen; the kernel names a tracer before that. */
const ATTACHED = "attached";

/** Has the brain die before its nth message from now on, as long as it is held. */
async function killBrainBefore(brain: WarmBrain, nth: number): Promise<AsyncDisposable> {
  const inject = ["-e", "trace=sendmsg", "-e", `inject=sendmsg:signal=SIGKILL:when=${nth}`];
  const strace = new Deno.Command("strace", {
    args: ["-p", String(brain.pid), "-o", "/dev/null", ...inject],
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).spawn();
  let said = "";
  const reader = strace.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!said.includes(ATTACHED)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`strace does not trace the brain: ${said}`);
    said += value;
  }
  return {
    // Until it has ended, it counts what the brain says to whoever comes next.
    async [Symbol.asyncDispose]() {
      try {
        strace.kill("SIGTERM");
      } catch {
        // it has ended with the brain
      }
      await strace.status;
      await reader.cancel();
    },
  };
}

/** Plays a scene once, with a brain that is killed so; false once it has outlived the command. */
async function playKillingBrain(
  runtime: TestRuntime,
  scene: Scene,
  nth: number,
): Promise<boolean> {
  await using brain = await WarmBrain.start();
  using play = new Play(runtime);
  await play.prepare(scene);
  const where = `${scene.line.join(" ")}, message ${nth}`;
  let found: Output & { cold: boolean };
  {
    await using _killer = await killBrainBefore(brain, nth);
    found = await tell(play.words(scene.line), brain.words);
  }
  const { code, stderr, cold } = found;
  const killed = !await brain.isServing();
  const isDone = !killed || scene.alone && code === 0;
  if (isDone) assertEquals({ where, code, stderr }, { where, code: 0, stderr: "" });
  // Before it has said anything, the front does without it, or starts Deno and says no word of it.
  else if (cold) assertEquals({ where, nth, code, stderr }, { where, nth: 1, code: 0, stderr: "" });
  else assertEquals({ where, code, stderr }, { where, code: 1, stderr: ENDED });
  await play.assertRemovable(where);
  return killed;
}

Deno.test({
  ...RUNTS_ONLY,
  name: "a brain that is killed before any of its messages leaves what can be removed",
  fn: () =>
    withRuntime(async (runtime) => {
      for (const scene of SCENES) {
        let nth = 1;
        while (await playKillingBrain(runtime, scene, nth)) nth++;
        assert(nth > 1, scene.line.join(" "));
      }
    }),
});

/** Has the brain open what it keeps. */
async function warmUp(runtime: TestRuntime, brain: WarmBrain): Promise<void> {
  using play = new Play(runtime);
  for (const line of [CREATE, ["delete", "--force", "ID"]]) {
    assertEquals((await tell(play.words(line), brain.words)).code, 0);
  }
}

/** The same of a front. */
async function playKillingFront(
  runtime: TestRuntime,
  scene: Scene,
  nth: number,
  brain: WarmBrain,
): Promise<boolean> {
  using play = new Play(runtime);
  await play.prepare(scene);
  const line = ["env", ...brain.words, RUNTIME, ...play.words(scene.line)];
  const killed = await killBefore(line, "sendmsg", nth);
  await until("the brain has done with it", async () => await brain.atWork() === 0);
  await play.assertRemovable(`${scene.line.join(" ")}, message ${nth}`);
  return killed;
}

Deno.test({
  ...RUNTS_ONLY,
  name: "a front that is killed before any of its messages leaves what can be removed",
  fn: () =>
    withRuntime(async (runtime) => {
      await using brain = await WarmBrain.start();
      await warmUp(runtime, brain);
      const before = await brain.ownDescriptors();
      for (const scene of SCENES) {
        let nth = 1;
        while (await playKillingFront(runtime, scene, nth, brain)) nth++;
        assert(nth > 1, scene.line.join(" "));
      }
      await brain.assertDescriptors(before);
      brain.kill("SIGTERM");
      assertEquals(await brain.end(), { code: 0, stderr: "" });
    }),
});

Deno.test("of each verb that runs warm there is a scene", () => {
  const played = SCENES.map(({ line }) => findVerb(line));
  const usual = WARM_VERBS.filter((verb) => !verb.startsWith("lxc ")); // by the same calls
  assertEquals(usual.filter((verb) => ![...played, "serve"].includes(verb)), []);
});

/** LXC's commands that a warm brain carries out do, say and leave what they do without one. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { wordsOf } from "../../../lib/cli/dispatch.ts";
import { prepareWarm, WARM_VERBS } from "../../../lib/commands/warm.ts";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";
import { CallerPrograms } from "../../support/callers.ts";
import { differences } from "../../support/differences.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";
import {
  type LxcDone,
  type LxcStep,
  reportingInside,
  WarmLxcScene,
} from "../../support/warm_lxc_scene.ts";

/** A command of the container. */
function lxc(verb: string, ...args: string[]): string[] {
  return ["lxc", verb, "-P", "PATH", "-n", "NAME", ...args];
}

/** One for all of them. */
function lxcAll(verb: string, ...args: string[]): string[] {
  return ["lxc", verb, "-P", "PATH", ...args];
}

const STEPS: readonly LxcStep[] = [
  { line: lxcAll("ls", "-f") },
  { line: ["lxc-ls", "-P", "PATH"] },
  { line: lxc("info") },
  { line: lxc("attach", "--", "true") },
  { line: lxc("stop") },
  { line: ["lxc", "config", "lxc.lxcpath"] },
  {
    line: lxc("start", "-p", "FILES/pid", "-o", "FILES/log", "-l", "INFO"),
    reports: ["pre-start", "init"],
  },
  { line: lxc("start") },
  { line: lxc("info"), other: "numbers" },
  { line: lxc("info", "-c", "lxc.group", "-c", "lxc.none") },
  { line: lxc("attach", "--", ...reportingInside("attach", "exit 7")), reports: ["attach"] },
  {
    line: lxc("attach", "--clear-env", "-v", "A=b", "--", ...reportingInside("clear")),
    reports: ["clear"],
  },
  { line: lxc("attach", "--", "nothing") },
  { line: lxc("attach", "-s", "NETWORK|UTSNAME", "--", "hostname") },
  { line: lxc("cgroup", "pids.max") },
  { line: lxc("cgroup", "pids.max", "1000") },
  { line: lxc("wait", "-s", "RUNNING") },
  { line: lxc("wait", "-s", "STOPPED", "-t", "0") },
  { line: lxc("freeze") },
  { line: lxcAll("ls", "--frozen") },
  { line: lxc("unfreeze") },
  { line: lxcAll("monitor", "--quit") },
  { line: lxc("stop", "-t", "30"), reports: ["post-stop"] },
  { line: lxc("stop") },
  { line: lxcAll("start", "-n", "broken", "-q") },
  { line: lxcAll("start", "-n", "broken") },
  { line: lxc("start", "-s", "lxc.uts.nam=x") },
  {
    line: lxc("execute", "-d", "--", ...reportingInside("execute", "sleep 1000")),
    reports: ["pre-start", "execute"],
  },
  { line: lxc("stop", "-k"), reports: ["post-stop"] },
  { line: lxcAll("autostart", "-g", "NAME", "-L") },
  { line: lxcAll("autostart", "-g", "NAME"), reports: ["pre-start", "init"] },
  { line: lxcAll("autostart", "-g", "NAME", "-k"), reports: ["post-stop"] },
  { line: ["lxc-stop", "-P", "PATH", "-n", "NAME"] },
];

/** Kinds of callers that are unlike the brain. */
const CALLERS = [1, 2];
/** Of what they differ in, what a program or hook has of them. */
const PASSED_ON = ["limits.RLIMIT_CORE.1", "oomScoreAdj", "nice", "kept.slack", "status.Umask"];

/** Whether the one list of what runs warm has this. */
async function isWarm({ line }: LxcStep): Promise<boolean> {
  const prepared = await prepareWarm(
    wordsOf(line[0] === "lxc" ? line : line.slice(1), line[0]!),
    new ProcessCaller(),
    () => {
      throw new Error("nobody asks a brain");
    },
  );
  return prepared !== undefined;
}

/** All steps of each kind of caller, at the same time. */
function all(
  scenes: readonly WarmLxcScene[],
  way: Readonly<Record<string, string>>,
): Promise<LxcDone[][]> {
  return Promise.all(scenes.map(async (scene) => {
    const done: LxcDone[] = [];
    for (const step of STEPS) done.push(await scene.run(step, way));
    return done;
  }));
}

/** Without this, that nothing differs would prove nothing. */
function assertSeen(done: readonly (readonly LxcDone[])[], report: string): void {
  const [first, second] = done.map((steps) =>
    steps.map(({ seen }) => seen.reports[report]).find((one) => one !== undefined)
  );
  const found = differences(first, second).join("\n");
  for (const path of PASSED_ON) assertStringIncludes(found, `.seen.${path}:`);
}

async function withScenes(
  runtime: TestRuntime,
  body: (scenes: readonly WarmLxcScene[]) => Promise<void>,
): Promise<void> {
  using programs = await CallerPrograms.build();
  await using stack = new AsyncDisposableStack();
  const scenes = CALLERS.map((kind) =>
    stack.use(new WarmLxcScene(runtime.root, `${runtime.id()}-${kind}`, kind, programs))
  );
  await body(scenes);
}

Deno.test({
  ...RUNTS_ONLY,
  name: "callers of LXC's commands find what they find without a brain",
  fn: () =>
    withRuntime((runtime) =>
      withScenes(runtime, async (scenes) => {
        await using brain = await WarmBrain.start();
        const expected = await all(scenes, { RUNTS_TEST_COLD: "1" });
        const found = await all(scenes, brain.env);
        const different: string[] = [];
        for (const [index, step] of STEPS.entries()) {
          const spared = Number(await isWarm(step));
          for (const [kind, steps] of found.entries()) {
            const { loaded, seen } = expected[kind]![index]!;
            const wanted = { loaded: loaded - spared, seen };
            const words = `caller ${CALLERS[kind]}, ${step.line.join(" ")}`;
            different.push(...differences(steps[index], wanted).map((one) => words + one));
          }
        }
        assertEquals(different, []);
        assertSeen(expected, "pre-start");
      })
    ),
});

Deno.test("what runs warm of LXC's is compared, with one line at least for each verb", async () => {
  const compared = await Promise.all(
    STEPS.map(async (step) => await isWarm(step) ? step.line.slice(0, 2).join(" ") : ""),
  );
  const verbs = WARM_VERBS.filter((verb) => verb.startsWith("lxc "));
  assertEquals(verbs.filter((verb) => !compared.includes(verb)), []);
});

/** LXC's commands that a warm brain carries out do, say and leave what they do without one. */

import { assertEquals, assertObjectMatch } from "@std/assert";
import { wordsOf } from "../../../lib/cli/dispatch.ts";
import { prepareWarm, WARM_VERBS } from "../../../lib/commands/warm.ts";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";
import { CallerPrograms } from "../../support/callers.ts";
import { differences } from "../../support/differences.ts";
import { withRuntime } from "../../support/host.ts";
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
  { line: lxc("start", "-s", "lxc.mount.fstab=/none") },
  { line: lxc("start", "-s", "lxc.include=/none") },
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

/** A kind of caller (tests/payload/caller.c), and what a hook has of it: without this, that nothing differs would prove nothing. */
const CALLER = 1;
const PASSED_ON = {
  seen: { nice: 3, oomScoreAdj: "300\n", cwd: "/", status: { Umask: "0027" } },
};

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

/** All steps, one after the other. */
async function all(
  scene: WarmLxcScene,
  way: Readonly<Record<string, string>>,
): Promise<LxcDone[]> {
  const done: LxcDone[] = [];
  for (const step of STEPS) done.push(await scene.run(step, way));
  return done;
}

Deno.test({
  ...RUNTS_ONLY,
  name: "a caller of LXC's commands finds what it finds without a brain",
  fn: () =>
    withRuntime(async (runtime) => {
      using programs = await CallerPrograms.build();
      await using scene = new WarmLxcScene(runtime.root, runtime.id(), CALLER, programs);
      await using brain = await WarmBrain.start();
      const expected = await all(scene, { RUNTS_TEST_COLD: "1" });
      const found = await all(scene, brain.env);
      const different: string[] = [];
      for (const [index, step] of STEPS.entries()) {
        const { loaded, seen } = expected[index]!;
        const wanted = { loaded: loaded - Number(await isWarm(step)), seen };
        const words = step.line.join(" ");
        different.push(...differences(found[index], wanted).map((one) => words + one));
      }
      assertEquals(different, []);
      const hook = expected.map(({ seen }) => seen.reports["pre-start"]).find((one) => one);
      assertObjectMatch(hook as Record<string, unknown>, PASSED_ON);
    }),
});

Deno.test("what runs warm of LXC's is compared, with one line at least for each verb", async () => {
  const compared = await Promise.all(
    STEPS.map(async (step) => await isWarm(step) ? step.line.slice(0, 2).join(" ") : ""),
  );
  const verbs = WARM_VERBS.filter((verb) => verb.startsWith("lxc "));
  assertEquals(verbs.filter((verb) => !compared.includes(verb)), []);
});

/** A command that a warm brain carries out does, says and leaves what it does without one. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { prepareWarm, WARM_VERBS } from "../../../lib/commands/warm.ts";
import { findVerb } from "../../../lib/cli/dispatch.ts";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";
import type { Config } from "../../support/bundle.ts";
import { CALLER_KINDS, CallerPrograms } from "../../support/callers.ts";
import { differences } from "../../support/differences.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";
import { type Done, REPORTING, reporting, type Step, WarmScene } from "../../support/warm_scene.ts";

const CREATE = ["create", "--bundle", "BUNDLE", "--pid-file", "BUNDLE/pid"];
/** Hooks of create. */
const CREATED = ["createRuntime", "createContainer"];
const STARTED = ["startContainer", "init", "poststart"];
/** A process that is other than init. */
const OTHER = ["--user", "7:8", "--env", "A=b", "--cwd", "/tmp", "--cap", "CAP_CHOWN"];

const STEPS: readonly Step[] = [
  { line: ["list"], other: "numbers" },
  { line: ["state", "ID"] },
  { line: [...CREATE, "ID"], reports: CREATED },
  { line: [...CREATE, "ID"] },
  { line: ["--debug", "--log", "BUNDLE/log", "state", "ID"] },
  { line: ["list", "--format", "json", "--filter", "status=created"] },
  { line: ["ps", "ID"], other: "numbers" },
  { line: ["start", "ID"], reports: STARTED },
  { line: ["start", "ID"] },
  { line: ["ps", "--format", "json", "ID"], other: "numbers" },
  {
    line: [
      ...["exec", "--detach", "--pid-file", "BUNDLE/pid", "ID"],
      ...reporting("exec", "exec sleep 1000"),
    ],
    reports: ["exec"],
  },
  { line: ["exec", "--detach", ...OTHER, "ID", ...reporting("exec")], reports: ["exec"] },
  { line: ["exec", "--detach", "ID", "nothing"] },
  { line: ["exec", "--detach", "--cwd", "/none", "ID", "true"] },
  { line: ["exec", "ID", ...reporting("exec", "exit 7")], reports: ["exec"] },
  { line: ["exec", "ID", "nothing"] },
  { line: ["update", "--memory", "64m", "--pids-limit", "99", "--cpu-share", "512", "ID"] },
  { line: ["update", "--resources", "-", "ID"], stdin: '{"pids":{"limit":98}}' },
  { line: ["update", "--resources", "-", "ID"], stdin: '{"pids":{"limit":"all"}}' },
  { line: ["update", "--resources", "-", "ID"], stdin: "" },
  { line: ["events", "--stats", "ID"], other: "all" },
  { line: ["events", "--stats", "--format", "table", "ID"], other: "all" },
  { line: ["events", "--since", "0"] },
  { line: ["features"] },
  { line: ["inspect", "ID"], other: "numbers" },
  { line: ["logs", "--tail", "1", "ID"] },
  { line: ["logs", "--follow", "ID"] },
  { line: ["wait", "ID"] },
  { line: ["settle", "ID"] },
  { line: ["pause", "ID"] },
  { line: ["exec", "--detach", "ID", "true"] },
  { line: ["list"], other: "numbers" },
  { line: ["resume", "ID"] },
  { line: ["resume", "ID"] },
  { line: ["kill", "--all", "ID", "WINCH"] },
  { line: ["kill", "ID", "NONE"] },
  { line: ["delete", "ID"] },
  { line: ["delete", "--force", "ID"], reports: ["poststop"] },
  { line: ["delete", "ID"] },
  { line: [...CREATE, "--no-new-keyring", "ID"], reports: CREATED },
  { line: ["start", "ID"], reports: STARTED },
  { line: ["delete", "--force", "ID"], reports: ["poststop"] },
  {
    line: ["run", "--bundle", "BUNDLE", "--config", "BUNDLE/short.json", "ID"],
    reports: [...REPORTING, "init"],
  },
  {
    line: ["run", "--detach", "--pid-file", "BUNDLE/pid", "--bundle", "BUNDLE", "ID"],
    reports: [...CREATED, ...STARTED],
  },
  { line: ["stop", "--timeout", "10ms", "ID"] },
  { line: ["delete", "--force", "ID"], reports: ["poststop"] },
  { line: [...CREATE, "--config", "BUNDLE/failing.json", "ID"], reports: ["poststop"] },
  { line: [...CREATE, "--config", "BUNDLE/wrong.json", "ID"] },
  { line: [...CREATE, "--config", "BUNDLE/none.json", "ID"] },
];

const CONFIGS: Readonly<Record<string, (config: Config) => void>> = {
  "config.json": () => {},
  "short.json": (config) => config.process.args = reporting("init", "echo said; exit 7"),
  "failing.json": ({ hooks }) => hooks.createRuntime[0].args = ["sh", "-c", "echo no >&2; exit 3"],
  "wrong.json": (config) => config.process.cwd = "tmp",
};

/** Of what the kinds of callers differ in, what a program or hook has of them. */
const PASSED_ON = [
  ...["limits.RLIMIT_NOFILE.0", "limits.RLIMIT_CORE.1", "limits.RLIMIT_STACK.0", "oomScoreAdj"],
  ...["nice", "ioprio.1", "kept.slack", "kept.core", "status.Umask", "given.keyring"],
];

/** Without this, that nothing differs would prove nothing. */
function assertSeen(done: readonly (readonly Done[])[], report: string): void {
  const seen = done.map((steps) =>
    steps.map(({ seen }) => seen.reports[report]).find((one) => one !== undefined)
  );
  for (const [kind, other] of [[0, 1], [1, 2], [2, 0]] as const) {
    const found = differences(seen[kind], seen[other]).join("\n");
    for (const path of PASSED_ON) assertStringIncludes(found, `.seen.${path}:`);
  }
}

/** Verbs that only a brain itself answers. */
const ITS_OWN = ["serve"];

/** Whether the one list of what runs warm has this. */
async function isWarm({ line, stdin }: Step): Promise<boolean> {
  if (stdin !== undefined) return true; // what it is asked of here is another process
  const prepared = await prepareWarm(line, new ProcessCaller(), () => {
    throw new Error("nobody asks a brain");
  });
  return prepared !== undefined;
}

/** All steps of each kind of caller, at the same time. */
function all(
  scenes: readonly WarmScene[],
  way: Readonly<Record<string, string>>,
): Promise<Done[][]> {
  return Promise.all(scenes.map(async (scene) => {
    const done: Done[] = [];
    for (const step of STEPS) done.push(await scene.run(step, way));
    return done;
  }));
}

async function withScenes(
  runtime: TestRuntime,
  body: (scenes: readonly WarmScene[]) => Promise<void>,
): Promise<void> {
  using programs = await CallerPrograms.build();
  await using stack = new AsyncDisposableStack();
  const scenes = [...Array(CALLER_KINDS).keys()].map((kind) =>
    stack.use(new WarmScene(runtime.root, runtime.id(), kind, programs, CONFIGS))
  );
  await body(scenes);
}

Deno.test({
  ...RUNTS_ONLY,
  name: "callers of all kinds, who call at the same time, find what they find without a brain",
  fn: () =>
    withRuntime((runtime) =>
      withScenes(runtime, async (scenes) => {
        await using brain = await WarmBrain.start();
        // The first container of a host has cpuset enabled, which before Linux 6.2 undoes affinities.
        await runtime.container(() => {});
        const expected = await all(scenes, { RUNTS_TEST_COLD: "1" });
        const found = await all(scenes, brain.env);
        const different: string[] = [];
        for (const [index, step] of STEPS.entries()) {
          const cold = !await isWarm(step);
          for (const [kind, steps] of found.entries()) {
            const wanted = { cold, seen: expected[kind]![index]!.seen };
            const words = `caller ${kind}, ${step.line.join(" ")}`;
            different.push(...differences(steps[index], wanted).map((one) => words + one));
          }
        }
        assertEquals(different, []);
        for (const report of ["createRuntime", "exec"]) assertSeen(expected, report);
      })
    ),
});

Deno.test("what runs warm is compared, with one line at least for each verb", async () => {
  const compared = await Promise.all(
    STEPS.map(async (step) => await isWarm(step) ? findVerb(step.line) : ""),
  );
  const usual = WARM_VERBS.filter((verb) => !verb.startsWith("lxc ")); // lxc_test.ts has those
  assertEquals(usual.filter((verb) => ![...compared, ...ITS_OWN].includes(verb)), []);
});

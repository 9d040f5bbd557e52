/** SIGKILL to the front, or to init, at every step of the front's own work. */

import { assert, assertEquals } from "@std/assert";
import { readStat } from "../../../lib/state/liveness.ts";
import { Bundle, type Config } from "../../support/bundle.ts";
import { runtimeTest, TestRuntime } from "../../support/host.ts";
import { command, RUNTS_ONLY } from "../../support/runtime.ts";
import { idle, TELLING } from "../../support/cold.ts";
import { type Stop, walk, type Walked, withFrontStops } from "../../support/stops.ts";

interface Scene {
  readonly verb: readonly string[];
  /** What is done with the container that was created. */
  readonly before: readonly string[][];
  readonly stops: readonly string[];
}

const SCENES: readonly Scene[] = [
  { verb: ["start"], before: [], stops: ["@front-locked", "@front-go", "@front-executed"] },
  {
    verb: ["delete"],
    before: [],
    stops: ["@front-locked", "@front-delete", "@front-ended", "@front-cgroups", "@front-renamed"],
  },
  {
    verb: ["delete", "--force"],
    before: [["start"]],
    stops: ["@front-locked", "@front-delete", "@front-ended", "@front-cgroups", "@front-renamed"],
  },
  {
    verb: ["delete"],
    before: [["start"], ["kill", "KILL"]],
    stops: ["@front-locked", "@front-delete", "@front-ended", "@front-cgroups", "@front-renamed"],
  },
];

/** What `state` may say after the front was killed there; "" for a container that is gone. */
const STATES: Readonly<Record<string, readonly string[]>> = {
  "start @front-locked": ["created"],
  "start @front-go": ["created", "running"],
  "start @front-executed": ["running"],
  "delete @front-ended": ["stopped"],
  "delete @front-cgroups": ["stopped"],
  "delete @front-renamed": [""],
};

/** How long the parent of init may take, in ms. */
const REAPED = 2_000;

/** A container on which the verb of a scene is taken from stop to stop. */
async function play(
  runtime: TestRuntime,
  { verb, before }: Scene,
  at: (stop: Stop, pid: number) => "runts" | undefined,
  edit: (config: Config) => void = idle,
  variables: Readonly<Record<string, string>> = {},
): Promise<{ id: string; walked: Walked }> {
  using bundle = new Bundle(edit);
  const id = runtime.id();
  const unhindered = new TestRuntime(runtime.root, runtime.executable);
  await unhindered.ok(["create", "--bundle", bundle.path, id]);
  const { pid } = await asDeno(runtime, ["state", id]);
  for (const [name, ...rest] of before) {
    await asDeno(runtime, [name!, id, ...rest]);
    if (name === "kill") await runtime.untilStopped(id);
  }
  const given = Object.entries(variables).map((entry) => entry.join("="));
  const words = ["env", "-u", "RUNTS_TEST_COLD", ...given, runtime.executable];
  const line = [...words, "--root", runtime.root];
  const walked = await walk([...line, ...verb, id], (stop) => at(stop, pid));
  return { id, walked };
}

/** Without stops. */
async function asDeno(runtime: TestRuntime, args: readonly string[]): Promise<{ pid: number }> {
  const output = await runtime.run(args, { env: { RUNTS_TEST_COLD: "1" } });
  assertEquals(output.code, 0, output.stderr);
  return output.stdout === "" ? { pid: 0 } : JSON.parse(output.stdout);
}

async function assertCleanedUp(runtime: TestRuntime, id: string): Promise<void> {
  const deno = { env: { RUNTS_TEST_COLD: "1" } };
  const output = await runtime.run(["delete", "--force", id], deno);
  assertEquals(output, { code: 0, stdout: "", stderr: "" });
}

for (const scene of SCENES) {
  const name = [...scene.before.map(([verb]) => verb), ...scene.verb].join(" ");
  runtimeTest(`${name}: the front is killed at each step`, RUNTS_ONLY, async ({ root }) => {
    const runtime = new TestRuntime(root, await withFrontStops());
    const { id, walked } = await play(runtime, scene, () => undefined);
    assertEquals(walked.stops.map((stop) => stop.name), scene.stops);
    assertEquals([walked.code, walked.stderr], [0, ""]);
    await assertCleanedUp(runtime, id);
    for (const where of scene.stops) {
      const { id } = await play(runtime, scene, ({ name }) => name === where ? "runts" : undefined);
      const { code, stdout } = await runtime.run(["state", id]);
      const state = code === 0 ? JSON.parse(stdout).status : "";
      const allowed = STATES[`${scene.verb[0]} ${where}`];
      assert(allowed?.includes(state) ?? true, `${where}: ${state}`);
      await assertCleanedUp(runtime, id);
    }
  });
}

runtimeTest("init is killed under the hands of the front", RUNTS_ONLY, async ({ root }) => {
  const runtime = new TestRuntime(root, await withFrontStops());
  const [start, remove] = SCENES as [Scene, Scene];
  const killAt = (where: string) => (stop: Stop, pid: number) => {
    if (stop.name === where) {
      Deno.kill(pid, "SIGKILL");
      while (readStat(pid)?.state !== "Z" && readStat(pid) !== undefined);
    }
    return undefined;
  };
  const late = await play(runtime, start, killAt("@front-locked"));
  assertEquals([late.walked.code, late.walked.stderr], [
    1,
    `runts: start "${late.id}": cannot start a container that has stopped\n`,
  ]);
  await assertCleanedUp(runtime, late.id);
  // Whether the program was executed before is a matter of chance; that it is gone, is not.
  const begun = await play(runtime, start, killAt("@front-go"));
  assertEquals((await runtime.state(begun.id)).status, "stopped");
  await assertCleanedUp(runtime, begun.id);
  for (const where of remove.stops.slice(0, 2)) {
    const { id, walked } = await play(runtime, remove, killAt(where));
    assertEquals([walked.code, walked.stderr], [0, ""]);
    await assertCleanedUp(runtime, id);
  }
});

runtimeTest(
  "a program that has ended before the front looks was started all the same",
  RUNTS_ONLY,
  async ({ root }) => {
    const runtime = new TestRuntime(root, await withFrontStops());
    const [start] = SCENES as [Scene];
    // Whoever is the parent of init by now reaps it, as conmon does; should it not, that is no matter.
    const wait = ({ name }: Stop, pid: number) => {
      const end = performance.now() + REAPED;
      while (name === "@front-go" && readStat(pid) !== undefined && performance.now() < end);
      return undefined;
    };
    const short = (config: Config) => config.process.args = ["true"];
    const { id, walked } = await play(runtime, start, wait, short, TELLING);
    assertEquals([walked.code, walked.stderr], [0, ""]); // without Deno, which ld.so would tell of
    assertEquals((await runtime.state(id)).status, "stopped");
    await assertCleanedUp(runtime, id);
  },
);

runtimeTest("the front of a release has no stops", RUNTS_ONLY, async (runtime) => {
  const { code, stdout } = await command(["grep", "-c", "@front-", runtime.executable]);
  assertEquals({ code, stdout }, { code: 1, stdout: "0\n" });
});

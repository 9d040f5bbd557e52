/** Many at a time: nothing is lost or left, and each gets a correct answer. */

import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { runtimeTest, type TestRuntime, withRuntime } from "../../support/host.ts";
import { inTurn, runLoad } from "../../support/load.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

/** What of many commands at one container each is told, in the words of runts. */
function crowd(
  name: string,
  body: (runtime: TestRuntime, id: string, bundle: string) => Promise<void>,
): void {
  runtimeTest(name, RUNTS_ONLY, async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "600"]);
    await body(runtime, runtime.id(), bundle.path);
  });
}

Deno.test("40 containers by 8 concurrent callers", () =>
  withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "600"]);
    const { executable, root } = runtime;
    const rest = { bundle: bundle.path, prefix: runtime.id(), containers: 40, callers: 8 };
    const { slowest } = await runLoad({ executable, root, ...rest });
    assert(slowest < 60_000);
  }));

crowd("50 commands at one container at once", async (runtime, id, bundle) => {
  await runtime.ok(["create", "--bundle", bundle, id]);
  const one = Array.from({ length: 50 }, (_, index) => index);
  let started = 0;
  await inTurn(one, 50, async (index) => {
    if (index % 2 === 0) {
      const { status } = await runtime.state(id);
      assert(["created", "running"].includes(status), status);
      return;
    }
    const { code, stderr } = await runtime.run(["start", id]);
    if (code === 0) started++;
    else {
      const message = "cannot start an already running container";
      assertEquals(stderr, `runts: start "${id}": ${message}\n`);
    }
  });
  assertEquals(started, 1);
  await inTurn(one, 50, async (index) => {
    const output = await runtime.run(["exec", id, "sh", "-c", `echo ${index}; exit ${index}`]);
    assertEquals(output, { code: index, stdout: `${index}\n`, stderr: "" });
  });
  await runtime.ok(["kill", id, "KILL"]);
  await runtime.untilStopped(id);
  let deleted = 0;
  await inTurn(one, 50, async () => {
    const { code, stderr } = await runtime.run(["delete", id]);
    if (code === 0) deleted++;
    else assertEquals(stderr, `runts: delete "${id}": container does not exist\n`);
  });
  assertEquals(deleted, 1);
});

crowd("50 commands of 10 kinds at one running container at once", async (runtime, id, bundle) => {
  await runtime.ok(["run", "--detach", "--bundle", bundle, id]);
  const { pid } = await runtime.state(id);
  const done = { code: 0, stdout: "", stderr: "" };
  const refused = (text: string) => ({ code: 1, stdout: "", stderr: `runts: ${text}\n` });
  const kinds = [
    [["list", "--quiet"], { ...done, stdout: `${id}\n` }],
    [["exec", id, "echo", "a"], { ...done, stdout: "a\n" }],
    [["exec", "--detach", id, "true"], done],
    [["kill", id, "0"], done],
    [["update", "--pids-limit", "100", id], done],
    [["start", id], refused(`start "${id}": cannot start an already running container`)],
    [
      ["delete", id],
      refused(`delete "${id}": cannot delete a container that is not stopped: it is running`),
    ],
    [
      ["create", "--bundle", bundle, id],
      refused(`create "${id}": container with given ID already exists`),
    ],
  ] as const;
  const all = Array.from({ length: 50 }, (_, index) => index);
  await inTurn(all, 50, async (index) => {
    const [args, wanted] = kinds[index % 10] ?? [];
    if (args !== undefined) return assertEquals(await runtime.run(args), wanted);
    if (index % 10 === 8) return assertEquals((await runtime.state(id)).status, "running");
    const pids = JSON.parse(await runtime.ok(["ps", "--format", "json", id]));
    assert(pids.includes(pid), `${pids}`);
  });
  assertEquals((await runtime.state(id)).pid, pid);
  await runtime.ok(["delete", "--force", id]);
});

crowd("16 creates of one id: one of them makes it", async (runtime, id, bundle) => {
  let made = 0;
  await inTurn(Array(16).fill(id), 16, async () => {
    const { code, stderr } = await runtime.run(["create", "--bundle", bundle, id]);
    if (code === 0) made++;
    else {
      assertEquals(
        stderr,
        `runts: create "${id}": container with given ID already exists\n`,
      );
    }
  });
  assertEquals(made, 1);
  await runtime.ok(["delete", "--force", id]);
});

/** Commands that are killed at any moment: a container is whole then, or it is none, and nothing stays behind. */

import { assert, assertEquals } from "@std/assert";
import { hasProcesses } from "../../support/host.ts";
import { killAfter } from "../../support/killed.ts";
import { until } from "../../support/runtime.ts";
import { monitorsOf, runScript, supervisionTest } from "../../support/supervised.ts";

supervisionTest("create killed at any moment", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "exit 5"];
  bundle.save();
  const seen = new Set<string>();
  let quicker = 0;
  for (let delay = 0; quicker < 5; delay += 2) {
    const id = runtime.id();
    const words = ["create", "--supervised", "--bundle", bundle.path, id];
    if (await killAfter(runtime, words, delay)) quicker++;
    const rows = JSON.parse(await runtime.ok(["list", "--format", "json"]));
    const status = rows[0]?.status ?? "none";
    seen.add(status);
    if (status === "created") {
      await runtime.ok(["start", id]);
      assertEquals(await runtime.ok(["wait", id]), "5\n", `after ${delay} ms`);
      await runtime.ok(["delete", id]);
    } else await runtime.ok(["delete", "--force", id]);
    await until("nobody is left", () => !hasProcesses(bundle) && monitorsOf(runtime).length === 0);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
  }
  assert(seen.has("created"), [...seen].join(" "));
});

supervisionTest("delete killed at any moment can be done again", async (runtime, bundle) => {
  for (let delay = 10; delay <= 60; delay += 5) {
    const id = await runScript(runtime, bundle, "sleep 1000");
    await killAfter(runtime, ["delete", "--force", id], delay);
    await runtime.ok(["delete", "--force", id]);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
    assertEquals(monitorsOf(runtime), [], `after ${delay} ms`);
  }
});

supervisionTest("restart killed at any moment can be done again", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  for (let delay = 10; delay <= 100; delay += 6) {
    await killAfter(runtime, ["restart", "--timeout", "0", id], delay);
    const { status } = await runtime.state(id);
    assert(["running", "created", "stopped"].includes(status), `${status} after ${delay} ms`);
    await runtime.ok(["restart", "--timeout", "0", id]);
    assertEquals((await runtime.state(id)).status, "running", `after ${delay} ms`);
    assertEquals(monitorsOf(runtime).length, 1, `after ${delay} ms`);
  }
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("stop killed at any moment can be done again", async (runtime, bundle) => {
  for (let delay = 10; delay <= 60; delay += 10) {
    const id = await runScript(runtime, bundle, "sleep 1000", "--restart", "always");
    await killAfter(runtime, ["stop", "--timeout", "0", id], delay);
    await runtime.ok(["stop", "--timeout", "0", id]);
    assertEquals(await runtime.ok(["wait", id]), "137\n", `after ${delay} ms`);
    await runtime.ok(["delete", id]);
  }
});

supervisionTest(
  "exec killed at any moment leaves a process that is watched, or none",
  async (runtime, bundle) => {
    const id = await runScript(runtime, bundle, "sleep 1000");
    for (let delay = 10; delay <= 60; delay += 4) {
      const name = `exec${delay}`;
      await killAfter(
        runtime,
        ["exec", "--name", name, "--detach", id, "sh", "-c", "exit 4"],
        delay,
      );
      const { code, stdout, stderr } = await runtime.run(["wait", "--process", name, id]);
      const none = `runts: wait "${id}": it has no process "${name}"\n`;
      if (code === 0) assertEquals(stdout, "4\n", `after ${delay} ms`);
      else assertEquals({ code, stderr }, { code: 1, stderr: none }, `after ${delay} ms`);
      const again = ["exec", "--name", name, id, "sh", "-c", "exit 3"];
      const second = await runtime.run(again);
      assertEquals([second.code, second.stderr], [3, ""], `after ${delay} ms`);
    }
    await runtime.ok(["delete", "--force", id]);
  },
);

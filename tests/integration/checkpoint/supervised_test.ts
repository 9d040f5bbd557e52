/** Checkpoints of containers that a monitor looks after. */

import { assertEquals } from "@std/assert";
import { checkpointTest, type Restorable, WITH_CRIU_RUNTS_ONLY } from "../../support/criu.ts";
import { until } from "../../support/runtime.ts";
import { eventTypes, monitorsOf } from "../../support/supervised.ts";

const TALKER = [
  ...["sh", "-c"],
  "echo before; touch /tmp/waits; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo after; exit 5",
];

function supervisedTest(
  name: string,
  terminal: boolean,
  body: (container: Restorable) => Promise<void>,
): void {
  checkpointTest(name, async (container) => {
    await body(container);
    await until("no monitor is left", () => monitorsOf(container.runtime).length === 0);
  }, (config) => {
    config.process.args = TALKER;
    config.process.terminal = terminal;
  }, WITH_CRIU_RUNTS_ONLY);
}

for (const terminal of [false, true]) {
  const streams = terminal ? "with a terminal" : "with pipes";
  supervisedTest(
    `a supervised program ${streams} goes on under a new monitor`,
    terminal,
    async (container) => {
      const { runtime, bundle, id } = container;
      await container.run("--supervised");
      await until("it is logged", async () => await runtime.ok(["logs", id]) !== "");
      assertEquals((await runtime.ok(["logs", id])).replaceAll("\r", ""), "before\n");
      await container.ok("checkpoint");
      assertEquals((await runtime.run(["state", id])).code, 1);
      await until("its monitor ends", () => monitorsOf(runtime).length === 0);
      await container.ok("restore", "--detach", "--supervised");
      assertEquals(monitorsOf(runtime).length, 1);
      bundle.put("tmp/go", "");
      assertEquals(await runtime.run(["wait", id]), { code: 0, stdout: "5\n", stderr: "" });
      assertEquals((await runtime.ok(["logs", id])).replaceAll("\r", ""), "after\n");
      await runtime.ok(["delete", id]);
      const types = eventTypes(runtime, id);
      assertEquals(types.slice(0, 2), ["created", "started"]);
      assertEquals(types.filter((type) => type === "created").length, 2);
    },
  );
}

supervisedTest(
  "a policy to restart does not bring back what was taken",
  false,
  async (container) => {
    const { runtime, bundle, id } = container;
    await container.run("--restart", "always");
    await container.ok("checkpoint", "--leave-running");
    assertEquals((await runtime.state(id)).status, "running");
    await container.ok("checkpoint");
    assertEquals((await runtime.run(["state", id])).code, 1);
    await container.ok("restore", "--detach", "--restart", "on-failure:1");
    const { pid } = await runtime.state(id);
    Deno.removeSync(`${bundle.rootfs}/tmp/waits`);
    bundle.put("tmp/go", "");
    await until("it is started anew", () => {
      try {
        return Deno.statSync(`${bundle.rootfs}/tmp/waits`).isFile;
      } catch {
        return false;
      }
    });
    await runtime.untilStopped(id);
    assertEquals(eventTypes(runtime, id).includes("restarted") || pid > 0, true);
    await container.delete();
  },
);

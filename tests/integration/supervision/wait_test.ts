/** A supervised container outlives whoever started it, and how it ended can be learned from anybody. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { hostHas } from "../../support/cgroups.ts";
import { isRunning } from "../../support/host.ts";
import { until } from "../../support/runtime.ts";
import {
  eventTypes,
  monitorsOf,
  record,
  runScript,
  supervisionTest,
} from "../../support/supervised.ts";

supervisionTest("wait gives the exit code, however often it is asked", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 0.2; exit 5");
  assertEquals(await runtime.ok(["wait", id]), "5\n");
  assertEquals(await runtime.ok(["wait", id]), "5\n");
  assertEquals((await runtime.state(id)).status, "stopped");
  const { code, signal, core, oom, at } = record(runtime, id, "processes/init/exit.json");
  assertEquals({ code, signal, core, oom }, { code: 5, signal: 0, core: false, oom: false });
  assertMatch(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  await until("the end was told", () => eventTypes(runtime, id).includes("exited"));
  await runtime.ok(["delete", id]);
  assertEquals(eventTypes(runtime, id), ["created", "started", "exited", "removed"]);
});

supervisionTest(
  "the monitor is the parent of init, and nobody's child",
  async (runtime, bundle) => {
    const id = await runScript(runtime, bundle, "sleep 1000");
    const [monitor] = monitorsOf(runtime);
    const { pid } = await runtime.state(id);
    const parent = /^PPid:\s+(\d+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    assertEquals(Number(parent), monitor);
    const cgroup = Deno.readTextFileSync(`/proc/${monitor}/cgroup`);
    const own = hostHas("systemd") ? `runts-monitor-${id}.scope` : `${id}-monitor`;
    for (const line of cgroup.trimEnd().split("\n")) assert(line.endsWith(`/${own}`), line);
    await runtime.ok(["delete", "--force", id]);
    assertEquals([isRunning(monitor!), isRunning(pid)], [false, false]);
    assertEquals(eventTypes(runtime, id), ["created", "started", "exited", "removed"]);
  },
);

supervisionTest("create, start and delete are told of, too", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "exit 5"];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["create", "--supervised", "--bundle", bundle.path, id]);
  assertEquals(monitorsOf(runtime).length, 1);
  await runtime.ok(["start", id]);
  assertEquals(await runtime.ok(["wait", id]), "5\n");
  await runtime.ok(["delete", id]);
  assertEquals(eventTypes(runtime, id), ["created", "started", "exited", "removed"]);
  assertEquals(monitorsOf(runtime), []);
});

supervisionTest("a signal that ended it is part of the code", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  await runtime.ok(["kill", id, "KILL"]);
  assertEquals(await runtime.ok(["wait", id]), "137\n");
  const { code, signal } = record(runtime, id, "processes/init/exit.json");
  assertEquals({ code, signal }, { code: 137, signal: 9 });
  await runtime.ok(["delete", id]);
});

supervisionTest("its output is in the log", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "echo one; echo two >&2; printf three");
  await runtime.ok(["wait", id]);
  const lines = Deno.readTextFileSync(`${runtime.root}/${id}/output.log`).trimEnd().split("\n");
  const texts = lines.map((line) => line.slice(line.indexOf(" ") + 1));
  assertEquals(texts.sort(), ["stderr F two", "stdout F one", "stdout P three"]);
  await runtime.ok(["delete", id]);
});

supervisionTest(
  "a create that fails leaves neither monitor nor record",
  async (runtime, bundle) => {
    bundle.config.mounts.push({ destination: "/none", type: "nonsense", source: "none" });
    bundle.save();
    const id = runtime.id();
    const { code, stderr } = await runtime.run([
      ...["create", "--supervised", "--bundle", bundle.path, id],
    ]);
    assertEquals(code, 1);
    assertMatch(stderr, /^runts: create "[^"]+": mounts\[6\]: .*\n$/);
    assertEquals(monitorsOf(runtime), []);
  },
);

supervisionTest("a container without a monitor cannot be waited for", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const { code, stderr } = await runtime.run(["wait", id]);
  const hint = "it has no monitor: create it with --supervised";
  assertEquals({ code, stderr }, { code: 1, stderr: `runts: wait "${id}": ${hint}\n` });
  await runtime.ok(["delete", "--force", id]);
});

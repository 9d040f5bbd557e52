/** A front that is ended takes its command with it; what only waits goes on without a brain. */

import { assertEquals } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { runtimeTest } from "../../support/host.ts";
import { Systems } from "../../support/lxc_system.ts";
import { RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";

/** It is asked to halt, and does not. */
const DEAF_INIT = "#!/bin/sh\ntrap : PWR\necho booted\nwhile :; do sleep 0.05; done\n";

function begin(brain: WarmBrain, args: string[]): Deno.ChildProcess {
  const env = { ...brain.env };
  return new Deno.Command(RUNTIME, { args, env, stdin: "null", stdout: "null" }).spawn();
}

/** Begins a command, ends its front, and waits until the brain is at rest. */
async function leave(brain: WarmBrain, args: string[]): Promise<void> {
  const front = begin(brain, args);
  await until("the brain is at work", async () => await brain.atWork() === 1);
  front.kill("SIGINT");
  await front.status;
  await until("the brain has left it", async () => await brain.atWork() === 0);
}

runtimeTest("a stop that nobody waits for any more kills nothing", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle(idle); // it does not listen to TERM
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  await leave(brain, ["--root", runtime.root, "stop", "--timeout", "1h", id]);
  assertEquals((await runtime.state(id)).status, "running");
  await runtime.ok(["delete", "--force", id]);
});

Deno.test({
  ...RUNTS_ONLY,
  name: "lxc stop and lxc wait that nobody waits for any more leave a container alone",
  async fn() {
    await using brain = await WarmBrain.start();
    await using systems = new Systems();
    systems.add("deaf", [], DEAF_INIT);
    await systems.start("deaf");
    const named = ["-P", systems.path, "-n", "deaf"];
    await leave(brain, ["lxc", "stop", ...named, "-t", "3600"]);
    await leave(brain, ["lxc", "wait", ...named, "-s", "STOPPED", "-t", "3600"]);
    assertEquals(await systems.state("deaf"), "RUNNING");
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "lxc wait begins anew when the brain ends",
  async fn() {
    await using brain = await WarmBrain.start();
    await using systems = new Systems();
    systems.add("c");
    await systems.start("c");
    const waiting = begin(brain, ["lxc", "wait", "-P", systems.path, "-n", "c", "-s", "STOPPED"]);
    await until("the brain is at work", async () => await brain.atWork() === 1);
    brain.kill("SIGTERM");
    assertEquals(await brain.end(), { code: 0, stderr: "" });
    await systems.ok("stop", "-n", "c");
    assertEquals((await waiting.status).code, 0);
  },
});

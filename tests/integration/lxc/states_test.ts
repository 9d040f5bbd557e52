/** States: waiting for them, being told of them, freezing. */

import { assertEquals } from "@std/assert";
import { hostHas } from "../../support/cgroups.ts";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";

const COUNTER = `#!/bin/sh
trap 'exit 0' PWR
echo booted
n=0
while :; do n=$((n + 1)); echo $n >/tmp/count; sleep 0.01; done
`;

Deno.test("wait gives 0 for a state that is reached, and 1 for a time that is over or no state", async () => {
  await using systems = new Systems();
  systems.add("waited");
  const cases: [states: string, timeout: string, code: number][] = [
    ["STOPPED", "5", 0],
    ["RUNNING|STOPPED", "5", 0],
    ["RUNNING", "0", 1],
    ["FROZEN", "1", 1],
    ["NONSENSE", "1", 1],
  ];
  for (const [states, timeout, code] of cases) {
    const output = await systems.run("wait", "-n", "waited", "-s", states, "-t", timeout);
    assertEquals(output.code, code, states);
  }
  const waiting = systems.run("wait", "-n", "waited", "-s", "RUNNING", "-t", "30");
  await systems.start("waited");
  assertEquals((await waiting).code, 0);
});

Deno.test("a frozen container stands still until it goes on", async () => {
  await using systems = new Systems();
  systems.add("frozen", [], COUNTER);
  await systems.start("frozen");
  const count = () => Deno.readTextFileSync(`${systems.rootfs("frozen")}/tmp/count`);
  await systems.ok("freeze", "-n", "frozen");
  assertEquals(await systems.state("frozen"), "FROZEN");
  const before = count();
  await systems.ok("freeze", "-n", "frozen");
  assertEquals(count(), before);
  await systems.ok("unfreeze", "-n", "frozen");
  assertEquals(await systems.state("frozen"), "RUNNING");
  await until("it counts on", () => count() !== before);
  await systems.ok("freeze", "-n", "frozen");
  await systems.ok("stop", "-n", "frozen", "-k");
  assertEquals(await systems.state("frozen"), "STOPPED");
  assertEquals((await systems.run("freeze", "-n", "frozen")).code, 1);
});

Deno.test("cgroup prints and changes files", async () => {
  await using systems = new Systems();
  // On version 2 that is memory.max.
  systems.add("grouped", ["lxc.cgroup.memory.limit_in_bytes = 64M"]);
  await systems.start("grouped");
  const file = hostHas("v2") ? "memory.max" : "memory.limit_in_bytes";
  assertEquals((await systems.ok("cgroup", "-n", "grouped", file)).trim(), "67108864");
  await systems.ok("cgroup", "-n", "grouped", file, "33554432");
  assertEquals((await systems.ok("cgroup", "-n", "grouped", file)).trim(), "33554432");
  assertEquals((await systems.run("cgroup", "-n", "grouped", "memory.nonsense")).code, 1);
});

Deno.test({
  name: "monitor tells of states and ends",
  ...RUNTS_LXC_ONLY, // LXC's needs a daemon, which stays
  async fn() {
    await using systems = new Systems();
    systems.add("told");
    systems.add("other");
    const monitor = systems.follow("monitor", "-n", "tol.*");
    await monitor.ready();
    await systems.start("other");
    await systems.start("told");
    await systems.ok("freeze", "-n", "told");
    await systems.ok("unfreeze", "-n", "told");
    await systems.ok("stop", "-n", "told");
    await until("it is told", () => monitor.text.includes("[STOPPED]"));
    await monitor.end();
    const states = (...names: string[]) =>
      names.map((name) => `'told' changed state to [${name}]\n`).join("");
    assertEquals(
      monitor.text,
      states("STARTING", "RUNNING", "FREEZING", "FROZEN", "THAWED", "RUNNING") +
        "'told' exited with status [0]\n" + states("STOPPING", "STOPPED"),
    );
  },
});

/** What follows of an end of init: reboot and halt from inside, the end of the monitor. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { parentOf } from "../../support/host.ts";
import { Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";
import { exists } from "../../support/look.ts";

const INIT = `#!/bin/sh
trap 'reboot -f' INT
echo booted
while :; do sleep 0.05; done
`;

async function pidOf(systems: Systems, name: string): Promise<number> {
  return Number(await systems.ok("info", "-n", name, "-pH"));
}

Deno.test("a reboot from inside gives another init under the same monitor", async () => {
  await using systems = new Systems();
  systems.add("again", [], INIT);
  await systems.start("again");
  const before = await pidOf(systems, "again");
  const monitor = parentOf(before);
  await systems.run("attach", "-n", "again", "--", "/bin/reboot", "-f");
  await until("it has booted twice", () => systems.shown("again").split("booted").length === 3);
  await systems.untilState("again", "RUNNING");
  const after = await pidOf(systems, "again");
  assertNotEquals(after, before);
  assertEquals(parentOf(after), monitor);
  await systems.ok("stop", "-n", "again", "-k");
  assertEquals(await systems.state("again"), "STOPPED");
});

Deno.test("stop -r asks for a reboot", async () => {
  await using systems = new Systems();
  systems.add("asked", [], INIT);
  await systems.start("asked");
  const before = await pidOf(systems, "asked");
  await systems.ok("stop", "-n", "asked", "-r");
  await systems.untilState("asked", "RUNNING");
  assertNotEquals(await pidOf(systems, "asked"), before);
});

Deno.test("a halt from inside stops the container", async () => {
  await using systems = new Systems();
  systems.add("halted");
  await systems.start("halted");
  await systems.run("attach", "-n", "halted", "--", "/bin/poweroff", "-f");
  assertEquals((await systems.run("wait", "-n", "halted", "-s", "STOPPED", "-t", "20")).code, 0);
  await systems.untilState("halted", "STOPPED");
});

Deno.test("init ends with its monitor, and the container can be started again", async () => {
  await using systems = new Systems();
  systems.add("orphan");
  await systems.start("orphan");
  const pid = await pidOf(systems, "orphan");
  Deno.kill(parentOf(pid), "SIGKILL");
  await until("init has ended", () => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
    } catch {
      return true;
    }
  });
  await systems.untilState("orphan", "STOPPED");
  assert((await systems.run("start", "-n", "orphan")).code === 0);
  await systems.untilState("orphan", "RUNNING");
});

Deno.test("an ephemeral container is gone once it has stopped", async () => {
  await using systems = new Systems();
  systems.add("once", ["lxc.ephemeral = 1"]);
  await systems.start("once");
  await systems.ok("stop", "-n", "once", "-k");
  await until("its directory is gone", () => !exists(`${systems.path}/once`));
  assertEquals((await systems.run("info", "-n", "once")).code, 1);
});

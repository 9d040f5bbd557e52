/** Ways to stop a container. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { parentOf } from "../../support/host.ts";
import { exists } from "../../support/look.ts";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";

/** Hears nothing but a reboot. */
const DEAF = `#!/bin/sh
trap '' PWR
trap 'reboot -f' INT
echo booted
while :; do sleep 0.05; done
`;

async function pidOf(systems: Systems, name: string): Promise<number> {
  return Number(await systems.ok("info", "-n", name, "-pH"));
}

Deno.test("an init that does not halt is killed when the time is over", async () => {
  await using systems = new Systems();
  systems.add("deaf", [], DEAF);
  await systems.start("deaf");
  const begin = performance.now();
  await systems.ok("stop", "-n", "deaf", "-t", "1");
  assert(performance.now() - begin >= 1000);
  assertEquals(await systems.state("deaf"), "STOPPED");
});

Deno.test("or it is left alone, which is a failure", async () => {
  await using systems = new Systems();
  systems.add("spared", [], DEAF);
  await systems.start("spared");
  const pid = await pidOf(systems, "spared");
  assertEquals((await systems.run("stop", "-n", "spared", "-t", "1", "--nokill")).code, 1);
  assertEquals([await systems.state("spared"), await pidOf(systems, "spared")], ["RUNNING", pid]);
});

Deno.test("stop -r gives another init under the same monitor", async () => {
  await using systems = new Systems();
  systems.add("anew", [], DEAF);
  await systems.start("anew");
  const before = await pidOf(systems, "anew");
  const monitor = parentOf(before);
  await systems.ok("stop", "-n", "anew", "-r", "-t", "30");
  await systems.untilState("anew", "RUNNING");
  const after = await pidOf(systems, "anew");
  assertNotEquals(after, before);
  assertEquals(parentOf(after), monitor);
});

Deno.test("stop -W does not wait", async () => {
  await using systems = new Systems();
  systems.add("asked", [], DEAF);
  await systems.start("asked");
  await systems.ok("stop", "-n", "asked", "-W");
  assertEquals(await systems.state("asked"), "RUNNING");
});

Deno.test("the signals are those of the configuration", async () => {
  await using systems = new Systems();
  const init = `#!/bin/sh
trap 'echo heard USR1; exit 0' USR1
echo booted
while :; do sleep 0.05; done
`;
  systems.add("told", ["lxc.signal.halt = SIGUSR1"], init);
  await systems.start("told");
  await systems.ok("stop", "-n", "told", "-t", "30");
  assertMatch(systems.shown("told"), /heard USR1/);
});

// LXC waits for the time to be over, and kills it.
Deno.test(
  "an init that does not listen yet is asked again once it does",
  RUNTS_LXC_ONLY,
  async () => {
    await using systems = new Systems();
    const init = `#!/bin/sh
while ! test -e /listen; do sleep 0.05; done
trap 'echo asked to halt; exit 0' PWR
while :; do sleep 0.05; done
`;
    systems.add("late", [], init);
    await systems.ok("start", "-n", "late");
    const stop = systems.ok("stop", "-n", "late", "-t", "60");
    Deno.writeTextFileSync(`${systems.rootfs("late")}/listen`, "");
    await stop;
    assertMatch(systems.shown("late"), /asked to halt/);
    assertEquals(await systems.state("late"), "STOPPED");
  },
);

// LXC leaves it running.
Deno.test("stop ends a container that is just about to start anew", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  const [hook, seen, go] = ["hook", "seen", "go"].map((name) => `${systems.path}/${name}`);
  const script = `#!/bin/sh\ntouch ${seen}; while ! test -e ${go}; do sleep 0.05; done\n`;
  Deno.writeTextFileSync(hook!, script, { mode: 0o755 });
  systems.add("crossed", [`lxc.hook.stop = ${hook}`]);
  await systems.start("crossed");
  await systems.run("attach", "-n", "crossed", "--", "/bin/reboot", "-f");
  await until("the hook runs", () => exists(seen!));
  const stop = systems.ok("stop", "-n", "crossed", "-t", "30");
  Deno.writeTextFileSync(go!, "");
  await stop;
  assertEquals(await systems.state("crossed"), "STOPPED");
});

Deno.test("options that contradict each other are refused", async () => {
  await using systems = new Systems();
  systems.add("both");
  await systems.start("both");
  for (const options of [["-k", "-r"], ["-k", "--nokill"], ["--nolock"]]) {
    assertEquals((await systems.run("stop", "-n", "both", ...options)).code, 1, options.join(" "));
  }
  assertEquals(await systems.state("both"), "RUNNING");
});

/** Many at once, and many that end at once. */

import { assertEquals } from "@std/assert";
import { IS_LXC, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { cgroupsOf, Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";

/** How many there are at a time. */
const COUNT = 4;
const ROUNDS = 3;
/** What others have left under its name is not this run's. */
const own = (name: string) => `${name}-${Deno.pid}`;

Deno.test("containers are started, looked at and stopped beside each other", async () => {
  await using systems = new Systems();
  const names = Array.from({ length: COUNT }, (_, index) => own(`beside-${index}`));
  for (const name of names) systems.add(name);
  for (let round = 1; round <= ROUNDS; round++) {
    await Promise.all(names.map((name) => systems.ok("start", "-n", name)));
    await Promise.all(names.map((name) => systems.untilShown(name, "booted\n", round)));
    const states = await Promise.all(names.map((name) => systems.state(name)));
    assertEquals(states, names.map(() => "RUNNING"));
    await Promise.all(names.map((name) => systems.ok("stop", "-n", name)));
  }
  await until("no cgroup is left", () => names.flatMap(cgroupsOf).length === 0);
});

// LXC waits for the monitors of others, or takes their cgroups.
Deno.test(
  "containers of one name, from several directories, have cgroups of their own",
  RUNTS_LXC_ONLY,
  async () => {
    const name = own("namesake");
    await using stack = new AsyncDisposableStack();
    const all = Array.from({ length: COUNT }, () => stack.use(new Systems()));
    for (const systems of all) systems.add(name);
    for (let round = 1; round <= ROUNDS; round++) {
      await Promise.all(all.map((systems) => systems.ok("start", "-n", name)));
      await Promise.all(all.map((systems) => systems.untilShown(name, "booted\n", round)));
      const payloads = await Promise.all(all.map((systems) => payloadOf(systems, name)));
      assertEquals(new Set(payloads).size, COUNT);
      await Promise.all(all.map((systems) => systems.ok("stop", "-n", name, "-k")));
    }
    await until("no cgroup is left", () => cgroupsOf(name).length === 0);
  },
);

async function payloadOf(systems: Systems, name: string): Promise<string> {
  const pid = (await systems.ok("info", "-n", name, "-pH")).trim();
  const [, path] = /(lxc\.payload\.\S+)/.exec(Deno.readTextFileSync(`/proc/${pid}/cgroup`))!;
  return path!;
}

Deno.test("programs that end as soon as they begin are started, and nothing is left of them", async () => {
  await using systems = new Systems();
  const [short, none] = [own("short"), own("none")];
  systems.add(short, ["lxc.init.cmd = /bin/true"]);
  systems.add(none, ["lxc.init.cmd = /bin/no-such-program"]);
  for (let round = 0; round < ROUNDS; round++) {
    assertEquals((await systems.run("start", "-n", short)).code, 0);
    assertEquals((await systems.run("wait", "-n", short, "-s", "STOPPED", "-t", "20")).code, 0);
    assertEquals((await systems.run("start", "-n", none)).code, 1);
    assertEquals(await systems.state(none), "STOPPED");
    assertEquals((await systems.run("execute", "-n", short, "--", "/bin/true")).code, 0);
    const missing = await systems.run("execute", "-n", short, "--", "/bin/no-such-program");
    assertEquals(missing.code === 0, false);
  }
  if (IS_LXC) return; // it leaves cgroups of what could not be started
  const left = () => [...cgroupsOf(short), ...cgroupsOf(none)];
  await until("no cgroup is left", () => left().length === 0);
  assertEquals(systems.mountsOfHost(), []);
});

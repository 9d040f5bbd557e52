/** What a start takes, and what there is of a container then. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { parentOf } from "../../support/host.ts";
import { IS_LXC, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { cgroupsOf, Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";

async function pidOf(systems: Systems, name: string): Promise<number> {
  return Number(await systems.ok("info", "-n", name, "-pH"));
}

Deno.test("init is pid 1 of a pid namespace, and a monitor its parent", async () => {
  await using systems = new Systems();
  systems.add("start-first");
  const file = `${systems.path}/pidfile`;
  await systems.start("start-first", "-p", file);
  const pid = await pidOf(systems, "start-first");
  assertMatch(Deno.readTextFileSync(`/proc/${pid}/status`), /^NSpid:\t\d+\t1$/m);
  assertEquals(Deno.readTextFileSync(file), String(parentOf(pid)));
});

Deno.test("the command of init is split at blanks, and one of the command line goes before it", async () => {
  await using systems = new Systems();
  systems.add("start-words", ["lxc.init.cmd = /bin/sh  /sbin/init one  two"]);
  await systems.start("start-words");
  const argv = async () =>
    Deno.readTextFileSync(`/proc/${await pidOf(systems, "start-words")}/cmdline`).split("\0");
  assertEquals(await argv(), ["/bin/sh", "/sbin/init", "one", "two", ""]);
  await systems.ok("stop", "-n", "start-words", "-k");
  await systems.ok("start", "-n", "start-words", "--", "/bin/sleep", "1000");
  assertEquals(await argv(), ["/bin/sleep", "1000", ""]);
});

Deno.test("without a configuration nothing is started", async () => {
  await using systems = new Systems();
  const { code } = await systems.run("start", "-n", "start-none");
  assertEquals(code, 1);
  assertEquals(await systems.ok("ls", "--active"), "");
  assertEquals((await systems.run("info", "-n", "start-none")).code, 1);
});

Deno.test("a file makes a container that has no directory", async () => {
  await using systems = new Systems();
  systems.add("start-file");
  const config = Deno.readTextFileSync(`${systems.path}/start-file/config`);
  const file = `${systems.path}/elsewhere.conf`;
  Deno.writeTextFileSync(file, config);
  await systems.ok("start", "-n", "start-volatile", "-f", file);
  try {
    await systems.untilShown("start-file", "booted\n");
    assertEquals(await systems.state("start-volatile"), "RUNNING");
    assertEquals((await systems.ok("ls", "--running", "-1")).trim(), "start-volatile");
    assertEquals((await systems.ok("ls", "--defined", "-1")).trim(), "start-file");
  } finally {
    await systems.ok("stop", "-n", "start-volatile", "-k");
  }
  assertEquals((await systems.ok("ls", "-1")).trim(), "start-file");
});

Deno.test("settings of the command line come last, and are not written down", async () => {
  await using systems = new Systems();
  systems.add("start-set");
  const before = Deno.readTextFileSync(`${systems.path}/start-set/config`);
  await systems.start("start-set", "-s", "lxc.uts.name=other", "--define", "lxc.environment=A=1");
  assertEquals(await systems.inside("start-set", "hostname"), "other\n");
  const environ = Deno.readTextFileSync(`/proc/${await pidOf(systems, "start-set")}/environ`);
  assert(environ.split("\0").includes("A=1"));
  assertEquals(Deno.readTextFileSync(`${systems.path}/start-set/config`), before);
});

Deno.test("files and directories are included where they stand", async () => {
  await using systems = new Systems();
  const directory = `${systems.path}/conf.d`;
  Deno.mkdirSync(directory);
  Deno.writeTextFileSync(`${directory}/10.conf`, "lxc.uts.name = included\n");
  Deno.writeTextFileSync(`${directory}/20.other`, "lxc.uts.name = ignored\n");
  Deno.writeTextFileSync(`${systems.path}/one`, "lxc.environment = ONE=1\n");
  systems.add("start-included", [
    `lxc.include = ${systems.path}/one`,
    `lxc.include = ${directory}`,
    "lxc.environment = TWO=2",
  ]);
  await systems.start("start-included");
  assertEquals(await systems.inside("start-included", "hostname"), "included\n");
  const environ = Deno.readTextFileSync(`/proc/${await pidOf(systems, "start-included")}/environ`);
  for (const variable of ["ONE=1", "TWO=2"]) assert(environ.split("\0").includes(variable));
});

Deno.test("cgroups are there while it runs, and gone afterwards, also of one that did not start", async () => {
  await using systems = new Systems();
  systems.add("start-grouped");
  systems.add("start-broken", ["lxc.init.cmd = /nonexistent"]);
  await systems.start("start-grouped");
  const pid = await pidOf(systems, "start-grouped");
  const cgroup = (of: number) => Deno.readTextFileSync(`/proc/${of}/cgroup`);
  assertMatch(cgroup(pid), /\/lxc\.payload\.start-grouped$/m);
  assertMatch(cgroup(parentOf(pid)), /\/lxc\.monitor\.start-grouped$/m);
  await systems.ok("stop", "-n", "start-grouped", "-k");
  await until("they are gone", () => cgroupsOf("start-grouped").length === 0);
  assertEquals((await systems.run("start", "-n", "start-broken")).code, 1);
  assertEquals(await systems.state("start-broken"), "STOPPED");
  const payload = () => cgroupsOf("start-broken").filter((one) => one.includes("payload"));
  await until("none is left", () => payload().length === 0);
});

Deno.test("inits that end at once, or are not there, leave nothing", async () => {
  await using systems = new Systems();
  systems.add("start-short", [], "#!/bin/sh\nexit 0\n");
  systems.add("start-missing", ["lxc.init.cmd = /nonexistent"]);
  for (let round = 0; round < 5; round++) {
    await systems.run("start", "-n", "start-short");
    assertEquals((await systems.run("start", "-n", "start-missing")).code, 1);
    await systems.untilState("start-short", "STOPPED");
  }
  // LXC leaves cgroups of its monitors behind.
  const left = () => IS_LXC ? [] : [...cgroupsOf("start-short"), ...cgroupsOf("start-missing")];
  await until("none is left", () => left().length === 0);
});

Deno.test({
  name: "many are started and stopped at once",
  ...RUNTS_LXC_ONLY, // LXC takes them one after the other here
  async fn() {
    await using systems = new Systems();
    const names = Array.from({ length: 6 }, (_, index) => `start-many-${index}`);
    for (const name of names) systems.add(name);
    await Promise.all(names.map((name) => systems.ok("start", "-n", name)));
    const running = (await systems.ok("ls", "--running", "-1")).trim().split("\n");
    assertEquals(running.toSorted(), names);
    const pids = await Promise.all(names.map((name) => pidOf(systems, name)));
    assertEquals(new Set(pids).size, names.length);
    await Promise.all(names.map((name) => systems.ok("stop", "-n", name, "-k")));
    assertEquals(await systems.ok("ls", "--active"), "");
    await until("none is left", () => cgroupsOf("start-many").length === 0);
  },
});

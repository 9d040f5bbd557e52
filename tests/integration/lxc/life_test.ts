/** Starting, looking at, attaching to and stopping a container. */

import { assertEquals, assertMatch } from "@std/assert";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { cgroupsOf, Systems } from "../../support/lxc_system.ts";
import { command, RUNTIME } from "../../support/runtime.ts";

Deno.test("a container is started, looked at, attached to and stopped", async () => {
  await using systems = new Systems();
  systems.add("life-one");
  await systems.start("life-one");
  assertEquals(await systems.state("life-one"), "RUNNING");
  assertMatch(
    await systems.ok("info", "-n", "life-one"),
    /^Name: {11}life-one\nState: {10}RUNNING\nPID: {12}\d+\nCPU use: {8}[\d.]+ seconds\nBlkIO use: {6}\S+ \S+\nMemory use: {5}[\d.]+ [KM]iB\nKMem use: {7}[\d.]+ [KM]iB\n$/,
  );
  assertEquals(
    await systems.inside("life-one", "hostname; id -u; readlink /dev/fd"),
    "life-one\n0\n/proc/self/fd\n",
  );
  const { code } = await systems.run("attach", "-n", "life-one", "--", "/bin/sh", "-c", "exit 7");
  assertEquals(code, 7);
  assertEquals(await systems.ok("stop", "-n", "life-one", "-t", "20"), "");
  assertEquals(await systems.state("life-one"), "STOPPED");
  assertEquals(systems.shown("life-one"), "booted\nasked to halt\n");
  assertEquals(cgroupsOf("life-one"), []);
});

Deno.test("a container that runs is not started again, and one that does not is not stopped", async () => {
  await using systems = new Systems();
  systems.add("life-twice");
  await systems.start("life-twice");
  const before = await systems.ok("info", "-n", "life-twice", "-pH");
  assertEquals((await systems.run("start", "-n", "life-twice")).code, 0);
  assertEquals(await systems.ok("info", "-n", "life-twice", "-pH"), before);
  await systems.ok("stop", "-n", "life-twice", "-k");
  assertEquals((await systems.run("stop", "-n", "life-twice")).code, 2);
  assertEquals((await systems.run("stop", "-n", "life-unknown")).code, 2);
});

Deno.test("ls shows states", async () => {
  await using systems = new Systems();
  systems.add("life-a");
  systems.add("life-b");
  await systems.start("life-a");
  assertEquals((await systems.ok("ls", "--running", "-1")).trim(), "life-a");
  assertEquals((await systems.ok("ls", "--active", "-1")).trim(), "life-a");
  assertEquals((await systems.ok("ls", "--stopped", "-1")).trim(), "life-b");
  assertEquals(
    await systems.ok("ls", "-f", "-F", "NAME,STATE,INTERFACE"),
    "NAME   STATE   INTERFACE \n" +
      "life-a RUNNING lo        \n" +
      "life-b STOPPED -         \n",
  );
});

Deno.test({
  name: "the other verbs of runts work on it",
  ...RUNTS_LXC_ONLY, // its commands
  fn: async () => {
    await using systems = new Systems();
    systems.add("life-runts");
    await systems.start("life-runts");
    const runts = async (...args: string[]) => (await command([RUNTIME, ...args])).stdout;
    const listed = (await runts("list", "-q")).split("\n");
    const id = listed.find((one) => one.startsWith("life-runts+"))!;
    assertEquals(await runts("exec", id, "/bin/hostname"), "life-runts\n");
    await runts("kill", id, "KILL");
    await systems.untilState("life-runts", "STOPPED");
    assertEquals((await runts("list", "-q")).includes("life-runts"), false);
  },
});

Deno.test({
  name: "the first start puts the code of commands into the state root, and looking does not",
  ...RUNTS_LXC_ONLY, // it is its own
  fn: async () => {
    await using systems = new Systems();
    systems.add("life-code");
    const root = `${systems.path}/root`;
    Deno.mkdirSync(root);
    const run = (verb: string, ...args: string[]) =>
      command([
        RUNTIME,
        "--root",
        root,
        "lxc",
        verb,
        "-P",
        systems.path,
        "-n",
        "life-code",
        ...args,
      ]);
    const isThere = () => {
      try {
        return Deno.statSync(`${root}/.code`).isDirectory;
      } catch {
        return false;
      }
    };
    assertEquals([(await run("info")).code, isThere()], [0, false]);
    assertEquals([(await run("start")).code, isThere()], [0, true]);
    assertEquals((await run("stop", "-k")).code, 0);
  },
});

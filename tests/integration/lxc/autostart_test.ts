/** autostart: which containers, in which order, and how it went. */

import { assertEquals } from "@std/assert";
import { IS_LXC, LxcPath, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";

function defined(): LxcPath {
  const containers = new LxcPath();
  const define = (name: string, order: number, pause: number, ...lines: string[]) =>
    containers.define(
      name,
      [
        "lxc.start.auto = 1",
        `lxc.start.order = ${order}`,
        `lxc.start.delay = ${pause}`,
        ...lines,
        "",
      ].join("\n"),
    );
  define("a", 50, 1, "lxc.group = onboot");
  define("b", 40, 2, "lxc.group = onboot other");
  define("c", 30, 3, "lxc.group = other");
  define("d", 20, 4);
  define("e", 20, 0);
  define("off", 10, 5, "lxc.start.auto = 0");
  return containers;
}

Deno.test("-L lists those that start, by their order, with the pauses", async () => {
  using containers = defined();
  const cases: [args: string[], names: string][] = [
    [[], "d 4, e 0"],
    [["-a"], "d 4, e 0, c 3, b 2, a 1"],
    [["-A"], "off 5, d 4, e 0"],
    [["-A", "-a"], "off 5, d 4, e 0, c 3, b 2, a 1"],
    [["-g", "onboot"], "b 2, a 1"],
    [["-g", "onboot,"], "b 2, a 1, d 4, e 0"],
    [["-g", "other,onboot"], "c 3, b 2, a 1"],
    [["-g", "nope"], ""],
    [["-s"], ""],
    [["-k", "-a"], ""],
  ];
  for (const [args, names] of cases) {
    const { code, stdout } = await containers.run("autostart", "-L", ...args);
    const lines = stdout.split("\n").filter((line) => line !== "").join(", ");
    assertEquals([code, lines], [0, names], args.join(" "));
  }
});

/** Says its name and number in the log of all when it boots. */
const INIT = (log: string) =>
  `#!/bin/sh
trap 'echo $(hostname) ends >> ${log}; exit 0' PWR
echo $(hostname) boots >> ${log}
while :; do sleep 0.05; done
`;

async function inLog(body: (systems: Systems, log: () => string[]) => Promise<void>) {
  const beside = Deno.makeTempDirSync({ prefix: "runts-lxc-log-" });
  try {
    await using systems = new Systems();
    for (const [at, name] of ["x", "y", "z"].entries()) {
      systems.add(name, [
        "lxc.start.auto = 1",
        `lxc.start.order = ${3 - at}`,
        `lxc.mount.entry = ${beside} log none bind,create=dir 0 0`,
      ], INIT("/log/log"));
    }
    const log = () => {
      try {
        return Deno.readTextFileSync(`${beside}/log`).trimEnd().split("\n");
      } catch {
        return [];
      }
    };
    await body(systems, log);
  } finally {
    Deno.removeSync(beside, { recursive: true });
  }
}

Deno.test("they start in their order, and stop in the reverse one", async () => {
  await inLog(async (systems, log) => {
    await systems.ok("autostart");
    for (const name of ["x", "y", "z"]) assertEquals(await systems.state(name), "RUNNING");
    for (const name of ["x", "y", "z"]) {
      await systems.inside(name, "while ! grep -q $(hostname) /log/log; do sleep 0.01; done");
    }
    assertEquals(log().toSorted(), ["x boots", "y boots", "z boots"]);
    assertEquals(await systems.ok("autostart", "-L"), IS_LXC ? "" : "z 0\ny 0\nx 0\n");
    assertEquals(await systems.ok("autostart", "-L", "-s"), "x\ny\nz\n");
    // Those that run are left alone.
    await systems.ok("autostart");
    await systems.ok("autostart", "-s", "-t", "20");
    for (const name of ["x", "y", "z"]) assertEquals(await systems.state(name), "STOPPED");
    assertEquals(log().slice(3), ["x ends", "y ends", "z ends"]);
  });
});

Deno.test("they are killed, and started anew", async () => {
  await using systems = new Systems();
  systems.add("x", ["lxc.start.auto = 1"]);
  await systems.ok("autostart");
  const pid = async () => (await systems.ok("info", "-n", "x", "-pH")).trim();
  assertEquals(await systems.state("x"), "RUNNING");
  assertEquals((await pid()) !== "", true);
  await systems.ok("autostart", "-k");
  assertEquals(await systems.state("x"), "STOPPED");
});

// LXC starts one after the other.
Deno.test("those of one order need not wait for each other", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  const names = ["x", "y", "z"];
  const hook = `${systems.path}/hook`;
  const script = `#!/bin/sh
touch ${systems.path}/met-$LXC_NAME
for name in ${
    names.join(" ")
  }; do while ! test -e ${systems.path}/met-$name; do sleep 0.01; done; done
`;
  Deno.writeTextFileSync(hook, script, { mode: 0o755 });
  for (const name of names) {
    systems.add(name, [
      "lxc.start.auto = 1",
      "lxc.start.order = 7",
      `lxc.hook.pre-start = ${hook}`,
    ]);
  }
  await systems.ok("autostart");
  for (const name of names) assertEquals(await systems.state(name), "RUNNING");
  await systems.ok("autostart", "-k");
  for (const name of names) assertEquals(await systems.state(name), "STOPPED");
});

Deno.test("one that fails keeps no other one from it", async () => {
  await using systems = new Systems();
  systems.add("bad", ["lxc.start.auto = 1", "lxc.init.cmd = /none"]);
  systems.add("good", ["lxc.start.auto = 1"]);
  const { code, stderr } = await systems.run("autostart");
  assertEquals([code, await systems.state("good")], [2, "RUNNING"]);
  if (IS_LXC) return;
  assertEquals(
    stderr,
    `runts: warning: start "bad": ${systems.path}/bad/config:9: lxc.init.cmd: exec: "/none": stat /none: no ` +
      "such file or directory\n",
  );
});

Deno.test("the exit code is 1 when all fail", RUNTS_LXC_ONLY, async () => {
  await using systems = new Systems();
  systems.add("bad", ["lxc.start.auto = 1", "lxc.init.cmd = /none"]);
  assertEquals((await systems.run("autostart")).code, 1);
  const { code, stderr } = await systems.run("autostart", "-s", "-k");
  assertEquals([code, stderr], [
    1,
    "runts: lxc autostart: only one of --shutdown, --kill and --reboot can be given\n",
  ]);
});

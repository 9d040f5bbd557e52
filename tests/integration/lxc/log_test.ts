/** -o, -l and -q of the commands, and the log of a container. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { lxc, LxcPath, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";

const lines = (path: string) => Deno.readTextFileSync(path).trimEnd().split("\n");

/** `lxc-stop web 20261130191041.511 ERROR    …` */
const LINE = /^lxc-[a-z]+ (?:\S+ )?\d{14}\.\d{3} [A-Z]+ +\S+ - ./;

Deno.test("a failure is logged to the file of -o, and told unless it is to be quiet", async () => {
  using containers = new LxcPath();
  const log = `${containers.path}/log`;
  const told = await containers.run("stop", "-n", "none", "-o", log);
  assertEquals(told.code, 2);
  assert(told.stderr !== "");
  const quiet = await containers.run("stop", "-n", "none", "-q");
  assertEquals([quiet.code, quiet.stdout, quiet.stderr], [2, "", ""]);
  const failures = lines(log).filter((line) => line.includes(" ERROR "));
  assertEquals(failures.length, 1);
  assertMatch(failures[0]!, LINE);
  assertMatch(failures[0]!, /^lxc-stop none .* lxc_stop - .*not run/);
});

Deno.test("a start that is quiet says nothing, and gives 1", async () => {
  await using systems = new Systems();
  systems.add("quiet", ["lxc.init.cmd = /nonexistent"]);
  const { code, stdout, stderr } = await systems.run("start", "-n", "quiet", "-q");
  assertEquals([code, stdout, stderr], [1, "", ""]);
});

Deno.test("a container's log has why its start failed, at the level that is asked for", async () => {
  await using systems = new Systems();
  const log = `${systems.path}/own.log`;
  systems.add("own", ["lxc.init.cmd = /nonexistent", `lxc.log.file = ${log}`]);
  assertEquals((await systems.run("start", "-n", "own")).code, 1);
  const plain = lines(log);
  for (const line of plain) assertMatch(line, LINE);
  assert(plain.every((line) => line.includes(" ERROR ")));
  assertEquals((await systems.run("start", "-n", "own", "-l", "DEBUG")).code, 1);
  assert(lines(log).length > 2 * plain.length, "DEBUG says more");
});

Deno.test({
  name: "a container's log has its life, and stands in its directory unless it is elsewhere",
  ...RUNTS_LXC_ONLY, // these words
  async fn() {
    await using systems = new Systems();
    systems.add("lived", ["lxc.log.level = NOTICE"]);
    systems.add("silent");
    await systems.start("lived");
    await systems.start("silent");
    await systems.ok("stop", "-n", "lived", "-k");
    const told = lines(`${systems.path}/lived/lived.log`).map((line) => {
      assertMatch(line, LINE);
      return line.replace(/^(\S+ \S+) \S+/, "$1").replace(/\+[\da-f]{8}$/, "");
    });
    assertEquals(told, [
      "lxc-start lived NOTICE   start - runs as lived",
      "lxc-start lived NOTICE   start - init has ended",
      "lxc-start lived NOTICE   start - has stopped",
    ]);
    const files = Array.from(Deno.readDirSync(`${systems.path}/silent`), ({ name }) => name);
    assertEquals(files.toSorted(), ["config", "console.log", "rootfs"]);
  },
});

Deno.test({
  name: "a log that cannot be written, and a level that is none, are refused",
  ...RUNTS_LXC_ONLY, // LXC goes on
  async fn() {
    await using systems = new Systems();
    systems.add("unwritten", ["lxc.log.file = /nonexistent/log"]);
    const { code, stderr } = await systems.run("start", "-n", "unwritten");
    assertEquals(code, 1);
    assertMatch(stderr, /config:8: lxc.log.file: write log "\/nonexistent\/log": ENOENT/);
    const level = await lxc("ls", ["-l", "LOUD"]);
    assertEquals(level, {
      code: 1,
      stdout: "",
      stderr: 'runts: lxc ls: option "--logpriority": "LOUD" is not one of TRACE, DEBUG, INFO, ' +
        "NOTICE, WARN, ERROR, CRIT, ALERT, FATAL, nor a number from 0 to 8\n",
    });
  },
});

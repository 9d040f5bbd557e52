/** The console and the terminals, from a terminal. */

import { assertEquals } from "@std/assert";
import { lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";
import { Session } from "../../support/session.ts";

/** Has a shell on its console, and one on each terminal. */
const SHELLS = `#!/bin/sh
for tty in tty1 tty2; do
  [ -c /dev/$tty ] && setsid sh -c "while :; do sh -i </dev/$tty >/dev/$tty 2>&1; sleep 0.1; done" &
done
echo booted
while :; do read line && echo "read $line"; done
`;

function session(systems: Systems, verb: string, ...args: string[]): Promise<Session> {
  return Session.start(lxcLine(verb, ["-P", systems.path, ...args]));
}

/** Joined to a terminal, whose client says so once it takes what is typed. */
async function consoleOf(systems: Systems, ...args: string[]): Promise<Session> {
  const joined = await session(systems, "console", ...args);
  await until("it is joined", () => joined.errors.includes("to exit the console"));
  return joined;
}

/** The answer is other than what is typed. */
const ASK = "echo $((40 + 2))\n";

Deno.test("a terminal is joined both ways, and left by its keys", async () => {
  await using systems = new Systems();
  systems.add("talked", ["lxc.tty.max = 2"], SHELLS);
  await systems.start("talked");
  await using one = await consoleOf(systems, "-n", "talked", "-t", "1");
  one.type(`\n${ASK}`);
  await one.shows("42");
  one.type("\x01q");
  assertEquals(await one.end(), 0);
  await using again = await consoleOf(systems, "-n", "talked", "-t", "1", "-e", "^b");
  again.type(`\n${ASK}`);
  await again.shows("42");
  again.type("\x02q");
  assertEquals(await again.end(), 0);
});

Deno.test("a terminal has one client, and the next one that is free is taken", async () => {
  await using systems = new Systems();
  systems.add("busy", ["lxc.tty.max = 2"], SHELLS);
  await systems.start("busy");
  await using first = await consoleOf(systems, "-n", "busy");
  first.type(`\n${ASK}`);
  await first.shows("42");
  await using refused = await session(systems, "console", "-n", "busy", "-t", "1");
  assertEquals(await refused.end(), 1);
  await using second = await consoleOf(systems, "-n", "busy");
  second.type("\ntty\n");
  await second.shows("/dev/tty2");
  await using third = await session(systems, "console", "-n", "busy");
  assertEquals(await third.end(), 1);
  await using none = await session(systems, "console", "-n", "busy", "-t", "3");
  assertEquals(await none.end(), 1);
});

Deno.test("the console is joined as terminal 0", async () => {
  await using systems = new Systems();
  systems.add("console", [], SHELLS);
  await systems.start("console");
  await using joined = await consoleOf(systems, "-n", "console", "-t", "0");
  joined.type("words\n");
  await joined.shows("read words");
  joined.type("\x01q");
  assertEquals(await joined.end(), 0);
  await systems.untilShown("console", "read words");
});

Deno.test("the console can be a terminal of the host", async () => {
  await using systems = new Systems();
  await using peer = await Session.start(["sleep", "1000"]);
  systems.add("joined", [`lxc.console.path = ${peer.path}`], SHELLS);
  await systems.ok("start", "-n", "joined");
  await peer.shows("booted");
  peer.type("words\n");
  await peer.shows("read words");
  await systems.ok("stop", "-n", "joined", "-k");
  systems.add("option", [], SHELLS);
  await systems.ok("start", "-n", "option", "-c", peer.path);
  peer.type("others\n");
  await peer.shows("read others");
  await systems.ok("stop", "-n", "option", "-k");
  peer.kill("SIGKILL");
});

Deno.test("what is no terminal cannot be the console", async () => {
  await using systems = new Systems();
  systems.add("file", ["lxc.console.path = /etc/passwd"]);
  assertEquals((await systems.run("start", "-n", "file")).code, 1);
  assertEquals(await systems.state("file"), "STOPPED");
});

Deno.test({
  name: "so much of the console is shown again as the buffer holds",
  ...RUNTS_LXC_ONLY, // LXC's console shows nothing again
  async fn() {
    await using systems = new Systems();
    const init = `#!/bin/sh
echo first
n=0
while [ $n -lt 3000 ]; do echo line $n; n=$((n + 1)); done
echo booted
while :; do sleep 0.05; done
`;
    systems.add("kept", ["lxc.console.buffer.size = 64KB"], init);
    systems.add("lost", [], init);
    for (const [name, isKept] of [["kept", true], ["lost", false]] as const) {
      await systems.start(name);
      await using joined = await consoleOf(systems, "-n", name, "-t", "0");
      await joined.shows("booted");
      assertEquals(joined.output.includes("first"), isKept, name);
      joined.type("\x01q");
      assertEquals(await joined.end(), 0);
    }
  },
});

Deno.test("attach on a terminal gives one to the program", async () => {
  await using systems = new Systems();
  systems.add("typed");
  await systems.start("typed");
  await using joined = await session(systems, "attach", "-n", "typed", "--", "/bin/sh");
  await joined.shows("# ");
  joined.type("test -t 0 && echo $((40 + 2)); exit 5\n");
  await joined.shows("42");
  assertEquals(await joined.end(), 5);
});

Deno.test({
  name: "start -F shows the console, and hands TERM on",
  ...RUNTS_LXC_ONLY, // LXC shows nothing of what init says then, and gives 1
  async fn() {
    await using systems = new Systems();
    systems.add(
      "fore",
      [],
      `#!/bin/sh
trap 'echo terminated; exit 3' TERM
echo booted
while :; do sleep 0.05; done
`,
    );
    await using fore = await session(systems, "start", "-n", "fore", "-F");
    await fore.shows("booted");
    fore.kill("SIGTERM");
    await fore.shows("terminated");
    assertEquals(await fore.end(), 0);
    await systems.untilState("fore", "STOPPED");
  },
});

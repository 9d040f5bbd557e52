/** busybox' own init: it boots by its table, has logins, reboots, and halts when it is asked to. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { parentOf } from "../../support/host.ts";
import { lxcLine } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";
import { Session } from "../../support/session.ts";

const TABLE = `::sysinit:/bin/echo booted
console::respawn:/bin/getty -L 115200 console vt100
tty1::respawn:/bin/getty -L 115200 tty1 vt100
::shutdown:/bin/echo shutting down
`;
const LINES = ["lxc.tty.max = 1", "lxc.signal.halt = SIGUSR1", "lxc.signal.reboot = SIGTERM"];

/** Defines one, whose root has no password. */
function define(systems: Systems, name: string): void {
  systems.add(name, LINES);
  const rootfs = systems.rootfs(name);
  Deno.removeSync(`${rootfs}/sbin/init`);
  Deno.symlinkSync("../bin/busybox", `${rootfs}/sbin/init`);
  Deno.symlinkSync("busybox", `${rootfs}/bin/login`);
  Deno.writeTextFileSync(`${rootfs}/etc/inittab`, TABLE);
  Deno.writeTextFileSync(`${rootfs}/etc/passwd`, "root::0:0:root:/root:/bin/sh\n");
}

async function pidOf(systems: Systems, name: string): Promise<number> {
  return Number(await systems.ok("info", "-n", name, "-pH"));
}

Deno.test("busybox has logins on its console and on tty1", async () => {
  await using systems = new Systems();
  define(systems, "bb-login");
  await systems.start("bb-login");
  await systems.untilShown("bb-login", "bb-login login: ");
  await using joined = await Session.start(
    lxcLine("console", ["-P", systems.path, "-n", "bb-login", "-t", "1"]),
  );
  await until("it is joined", () => joined.errors.includes("to exit the console"));
  joined.type("\n");
  await joined.shows("bb-login login: ");
  joined.type("root\n");
  await joined.shows("# ");
  joined.type("echo $((40 + 2)) on $(tty)\n");
  await joined.shows("42 on /dev/tty1");
  joined.type("\x01q");
  assertEquals(await joined.end(), 0);
});

Deno.test("busybox reboots under the same monitor, and halts in order", async () => {
  await using systems = new Systems();
  define(systems, "bb-again");
  await systems.start("bb-again");
  const before = await pidOf(systems, "bb-again");
  const monitor = parentOf(before);
  await systems.ok("stop", "-n", "bb-again", "-r");
  await systems.untilShown("bb-again", "booted\n", 2);
  await systems.untilState("bb-again", "RUNNING");
  const after = await pidOf(systems, "bb-again");
  assertNotEquals(after, before);
  assertEquals(parentOf(after), monitor);
  await systems.ok("stop", "-n", "bb-again");
  assertEquals(await systems.state("bb-again"), "STOPPED");
  assertEquals(systems.shown("bb-again").split("shutting down").length, 3);
});

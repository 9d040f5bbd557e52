/** A stock Debian with systemd: it boots, asks for logins, halts and reboots. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Debian, WITH_DEBIAN } from "../../support/debian.ts";
import { parentOf } from "../../support/host.ts";
import { lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { until } from "../../support/runtime.ts";
import { Session } from "../../support/session.ts";

/** A test that boots Debian. */
function debianTest(
  name: string,
  fn: (systems: Systems) => Promise<void>,
  { ignore = false } = {},
): void {
  Deno.test({
    name,
    ignore: ignore || WITH_DEBIAN.ignore,
    async fn() {
      await using systems = new Systems();
      await fn(systems);
    },
  });
}

async function pidOf(systems: Systems, name: string): Promise<number> {
  return Number(await systems.ok("info", "-n", name, "-pH"));
}

/** Logs in on a terminal, and leaves it. */
async function logIn(systems: Systems, name: string, tty: string): Promise<void> {
  const line = lxcLine("console", ["-P", systems.path, "-n", name, "-t", tty]);
  await using joined = await Session.start(line);
  await until("it is joined", () => joined.errors.includes("to exit the console"));
  joined.type("\n");
  await joined.shows("login: ");
  joined.type("root\n");
  await joined.shows(`root@${name}:~# `);
  joined.type("echo it is $((40 + 2))\n");
  await joined.shows("it is 42");
  joined.type("exit\n\x01q");
  assertEquals(await joined.end(), 0);
}

debianTest("Debian boots whole, and halts when it is asked to", async (systems) => {
  await using debian = await Debian.define(systems, "deb-boot");
  await debian.boot();
  assertEquals(await debian.systemctl("list-units", "--failed", "--no-legend"), "");
  assertEquals(await debian.systemctl("is-system-running"), "running");
  assertEquals(
    await systems.inside("deb-boot", "systemd-detect-virt; hostname"),
    "lxc\ndeb-boot\n",
  );
  const cgroup = "/proc/1/cgroup";
  assertMatch(await systems.inside("deb-boot", `cat ${cgroup}`), /^0::\/init\.scope$/m);
  const outside = Deno.readTextFileSync(`/proc/${await pidOf(systems, "deb-boot")}/cgroup`);
  assertMatch(outside, /^0::\/lxc\.payload\.deb-boot\/init\.scope$/m);
  await systems.ok("stop", "-n", "deb-boot");
  assertEquals(await systems.state("deb-boot"), "STOPPED");
  // By SIGRTMIN+3: in order, and not killed.
  assertMatch(
    systems.shown("deb-boot"),
    /Stopped target multi-user[^]*System Halt[^]*Halting system/,
  );
});

// LXC 5.0.2 does not tell systemd of its terminals, and ends when its console is left.
debianTest("Debian has logins on its console and on tty1", async (systems) => {
  await using debian = await Debian.define(systems, "deb-tty");
  await debian.boot();
  await logIn(systems, "deb-tty", "0");
  await logIn(systems, "deb-tty", "1");
}, RUNTS_LXC_ONLY);

debianTest("Debian reboots from inside under the same monitor, and powers off", async (systems) => {
  await using debian = await Debian.define(systems, "deb-again");
  await debian.boot();
  const before = await pidOf(systems, "deb-again");
  const monitor = parentOf(before);
  await debian.systemctl("reboot");
  await debian.booted(2);
  const after = await pidOf(systems, "deb-again");
  assertNotEquals(after, before);
  assertEquals(parentOf(after), monitor);
  await debian.systemctl("poweroff");
  await systems.ok("wait", "-n", "deb-again", "-s", "STOPPED", "-t", "60");
  assert(systems.shown("deb-again").includes("Powering off."));
});

// For LXC, /etc/subuid would have to have a line for root.
debianTest("Debian boots with ids of its own", async (systems) => {
  const map = ["u", "g"].map((kind) => `lxc.idmap = ${kind} 0 100000 65536`);
  await using debian = await Debian.define(systems, "deb-map", map);
  await debian.shift(100_000);
  await debian.boot();
  const pid = await pidOf(systems, "deb-map");
  assertMatch(Deno.readTextFileSync(`/proc/${pid}/status`), /^Uid:\t100000\t/m);
  // What it may not mount is all that it misses.
  const failed = await debian.systemctl("list-units", "--failed", "--no-legend", "--plain");
  assertEquals(failed.split("\n").filter((unit) => !/^(sys-kernel-|$)/.test(unit)), []);
  assertMatch(await systems.inside("deb-map", "cat /proc/1/cgroup"), /^0::\/init\.scope$/m);
  await systems.ok("stop", "-n", "deb-map");
  assertEquals(await systems.state("deb-map"), "STOPPED");
}, RUNTS_LXC_ONLY);

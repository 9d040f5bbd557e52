/** System containers of an ordinary user. */

import { assertEquals, assertMatch } from "@std/assert";
import { cgroupTest, hostHas, lingeringUser } from "../../support/cgroups.ts";
import { Debian, WITH_DEBIAN } from "../../support/debian.ts";
import { parentOf } from "../../support/host.ts";
import { IS_LXC } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { rootless } from "../../support/rootless.ts";
import { command } from "../../support/runtime.ts";
import type { OrdinaryUser } from "../../support/user.ts";

/** Of the ids on the host. */
const BASE = 100_000;
const MAP = ["u", "g"].map((kind) => `lxc.idmap = ${kind} 0 ${BASE} 65536`);
const OURS = { ignore: IS_LXC };

/** Containers of a user that is registered nowhere but for its commands. */
function systemsOf(user: OrdinaryUser): Systems {
  const range = `tester:${BASE}:65536\n`;
  user.register({
    passwd: `root:x:0:0::/:/bin/sh\ntester:x:${user.id}:${user.id}::/:/bin/sh\n`,
    subuid: range,
    subgid: range,
  });
  return reachable(new Systems(([, ...words]) => user.run(words)));
}

/** Everybody may look for files there. */
function reachable(systems: Systems): Systems {
  Deno.chmodSync(systems.path, 0o755);
  return systems;
}

/** Defines one that belongs to a user. */
function add(systems: Systems, uid: number, name: string, lines: readonly string[]): void {
  systems.add(name, lines);
  Deno.chownSync(`${systems.path}/${name}`, uid, uid);
}

rootless("a system container is started, joined and stopped", async (user) => {
  await using systems = systemsOf(user);
  add(systems, user.id, "mine", [...MAP, "lxc.tty.max = 1"]);
  await systems.start("mine");
  const pid = Number(await systems.ok("info", "-n", "mine", "-pH"));
  assertMatch(Deno.readTextFileSync(`/proc/${pid}/status`), new RegExp(`^Uid:\t${BASE}\t`, "m"));
  assertMatch(
    Deno.readTextFileSync(`/proc/${parentOf(pid)}/status`),
    new RegExp(`^Uid:\t${user.id}\t`, "m"),
  );
  const seen = await systems.inside(
    "mine",
    "id -u; cat /proc/self/uid_map; stat -c %t:%T /dev/null; ls /dev/tty1",
  );
  assertEquals(seen.replaceAll(/ +/g, " "), `0\n 0 ${BASE} 65536\n1:3\n/dev/tty1\n`);
  await systems.ok("stop", "-n", "mine");
  await systems.untilShown("mine", "asked to halt");
  assertEquals(await systems.state("mine"), "STOPPED");
}, OURS);

rootless("the stop hook can use the namespaces that it is told of", async (user) => {
  await using systems = systemsOf(user);
  const told = Deno.makeTempDirSync({ dir: systems.path });
  Deno.chmodSync(told, 0o777);
  const hook = `${systems.path}/stopped`;
  const script = "#!/bin/sh\n" +
    `for one; do case $one in *:*) echo "\${one%%:*} $(readlink "\${one#*:}")";; esac; done >${told}/stop\n`;
  Deno.writeTextFileSync(hook, script, { mode: 0o755 });
  add(systems, user.id, "held", [...MAP, `lxc.hook.stop = ${hook}`]);
  await systems.start("held");
  const names = ["user", "mnt", "pid", "uts", "ipc", "net", "cgroup"];
  const inside = await systems.inside(
    "held",
    `for name in ${names.join(" ")}; do echo "$name $(readlink /proc/1/ns/$name)"; done`,
  );
  await systems.ok("stop", "-n", "held", "-k");
  assertEquals(Deno.readTextFileSync(`${told}/stop`), inside);
}, OURS);

rootless("what needs root is refused in words", async (user) => {
  await using systems = systemsOf(user);
  const refused: [name: string, lines: readonly string[], message: string][] = [
    [
      "unmapped",
      [],
      `only root starts containers that have the ids of the host: give it lines as "lxc.idmap = u 0 ${BASE} 65536" ` +
      `and "lxc.idmap = g 0 ${BASE} 65536"`,
    ],
    [
      "paired",
      [...MAP, "lxc.net.0.type = veth", "lxc.net.0.link = lo"],
      `${systems.path}/paired/config:10: lxc.net.0.type: a network device of the type "veth" needs root: ` +
      "use lxc.net.0.type = empty or none; lxc-user-nic is not used",
    ],
  ];
  for (const [name, lines, message] of refused) {
    add(systems, user.id, name, lines);
    const { code, stderr } = await systems.run("start", "-n", name);
    const [last] = stderr.trimEnd().split("\n").slice(-1);
    assertEquals([code, last?.replace(/^runts: start "[^"]*": /, "")], [1, message]);
    assertEquals(await systems.state(name), "STOPPED");
  }
}, OURS);

/** Runs commands in a login session of a user that lingers. */
function inSession(uid: number): Systems {
  const session = ["-p", `User=${uid}`, "-p", "PAMName=login"];
  const run = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", ...session, "--"];
  return reachable(new Systems((line) => command([...run, ...line], { timeout: 240_000 })));
}

const SCOPES = (uid: number) =>
  `/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service/user.slice`;

function scopesOf(uid: number): string[] {
  try {
    return Array.from(Deno.readDirSync(SCOPES(uid)), ({ name }) => name)
      .filter((name) => name.endsWith(".scope"));
  } catch {
    return []; // the slice goes with the last of them
  }
}

cgroupTest(
  "a user's system container outlives the session that started it",
  ["v2", "user"],
  async () => {
    const uid = lingeringUser()!;
    await using systems = inSession(uid);
    add(systems, uid, "session", [...MAP, "lxc.cgroup2.pids.max = 33"]);
    await systems.start("session");
    const pid = Number(await systems.ok("info", "-n", "session", "-pH"));
    const cgroups = [pid, parentOf(pid)].map((one) => Deno.readTextFileSync(`/proc/${one}/cgroup`));
    assertMatch(cgroups[0]!, /user\.slice\/lxc\.payload-session\\x2b[0-9a-f]{8}\.scope\n$/);
    assertMatch(cgroups[1]!, /user\.slice\/runts-monitor-session\\x2b[0-9a-f]{8}\.scope\n$/);
    assertEquals(await systems.ok("cgroup", "-n", "session", "pids.max"), "33\n");
    await systems.ok("freeze", "-n", "session");
    assertEquals(await systems.state("session"), "FROZEN");
    await systems.ok("unfreeze", "-n", "session");
    await systems.ok("stop", "-n", "session");
    assertEquals([await systems.state("session"), scopesOf(uid)], ["STOPPED", []]);
  },
);

Deno.test({
  name: "a user's Debian boots, reboots and halts [v2, user]",
  ignore: WITH_DEBIAN.ignore || !hostHas("v2") || !hostHas("user"),
  async fn() {
    const uid = lingeringUser()!;
    await using systems = inSession(uid);
    await using debian = await Debian.define(systems, "deb-user", MAP);
    Deno.chownSync(`${systems.path}/deb-user`, uid, uid);
    await debian.shift(BASE);
    await debian.boot();
    const failed = await debian.systemctl("list-units", "--failed", "--no-legend", "--plain");
    assertEquals(failed.split("\n").filter((unit) => !/^(sys-kernel-|$)/.test(unit)), []);
    await debian.systemctl("reboot");
    await debian.booted(2);
    await systems.ok("stop", "-n", "deb-user");
    assertEquals([await systems.state("deb-user"), scopesOf(uid)], ["STOPPED", []]);
  },
});

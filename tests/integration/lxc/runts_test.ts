/** What runts alone has: check, explain, links. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { command, RUNTIME } from "../../support/runtime.ts";
import { lxc, LxcPath, RUNTS_LXC_ONLY } from "../../support/lxc.ts";

Deno.test("check prints every fault of a container with its line", RUNTS_LXC_ONLY, async () => {
  using containers = new LxcPath();
  const file = containers.define(
    "c",
    `lxc.rootfs.path = /nonexistent/root
lxc.utsname = c
lcx.tty.max = 4
lxc.signal.halt = PWR
lxc.mount.entry = /nonexistent/a b none bind,rox 0 0
lxc.mount.entry = /nonexistent/b b none bind,create=dir 0 0
lxc.net.0.type = veth
lxc.net.0.link = nolink0
lxc.hook.pre-start = /nonexistent/hook x
lxc.seccomp.profile = ${containers.path}/profile
`,
  );
  Deno.writeTextFileSync(`${containers.path}/profile`, "2\ndenylist\nmknod erno 1\n");
  const { code, stdout, stderr } = await containers.run("check", "-n", "c");
  assertEquals({ code, stderr }, { code: 1, stderr: "" });
  assertEquals(stdout.trimEnd().split("\n"), [
    `${file}:3: lcx.tty.max: is not a key: did you mean "lxc.tty.max"?`,
    `${file}:4: lxc.signal.halt: "PWR" is not a signal: did you mean "SIGPWR"?`,
    `${file}:5: lxc.mount.entry: "rox" is not a mount option: did you mean "ro"?`,
    `${containers.path}/profile:3: "erno" is not one of kill, errno, trap, allow, notify: ` +
    'did you mean "errno"?',
    `${file}:1: lxc.rootfs.path: "/nonexistent/root" does not exist`,
    `${file}:6: lxc.mount.entry: "/nonexistent/b" does not exist`,
    `${file}:9: lxc.hook.pre-start: "/nonexistent/hook" does not exist`,
    `${file}:8: lxc.net.0.link: there is no network device "nolink0" on this host`,
  ]);
  const strict = await containers.run("check", "-n", "c", "--strict");
  assert(strict.stdout.includes(`${file}:2: lxc.utsname: is the old name of lxc.uts.name\n`));
});

Deno.test("check has nothing to say of LXC's own files", RUNTS_LXC_ONLY, async () => {
  const directory = "/usr/share/lxc/config";
  const files = Array.from(Deno.readDirSync(directory), ({ name }) => name)
    .filter((name) => name.endsWith(".conf")).map((name) => `${directory}/${name}`);
  assert(files.length > 20);
  assertEquals(await lxc("check", files), { code: 0, stdout: "", stderr: "" });
});

Deno.test("explain prints the plan with the lines that ask for it", RUNTS_LXC_ONLY, async () => {
  using containers = new LxcPath();
  Deno.mkdirSync(`${containers.path}/root`);
  containers.define(
    "c",
    `lxc.rootfs.path = ${containers.path}/root
lxc.uts.name = web
lxc.mount.auto = proc
lxc.mount.entry = /tmp data none bind,create=dir 0 0
lxc.init.cmd = /sbin/init 3
lxc.hook.start-host = /bin/true now
lxc.environment = A=1
`,
  );
  const { code, stdout, stderr } = await containers.run("explain", "-n", "c");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const rows = stdout.split("\n").map((line) => line.slice(6).replace(/ {2,}/g, " "));
  for (
    const row of [
      'config:2 lxc.uts.name set the host name to "web"',
      "config:3 lxc.mount.auto mount proc on /proc (nosuid,nodev,noexec)",
      "config:4 lxc.mount.entry bind /tmp on /data",
      "config:3 lxc.mount.auto make /proc/sys read-only",
      "config:3 lxc.mount.auto bind /proc/sys/net on /proc/sys/net (rw)",
      "config:6 lxc.hook.start-host run /bin/true now c lxc start-host",
      'config:5 lxc.init.cmd execute "/sbin/init" "3"',
    ]
  ) assert(rows.includes(row), `${row}\n${stdout}`);
  const spec = JSON.parse((await containers.run("explain", "-n", "c", "--spec")).stdout);
  assertEquals(spec.process.env, ["container=lxc", "A=1"]);
  const plan = JSON.parse((await containers.run("explain", "-n", "c", "--plan")).stdout);
  assertEquals(plan.beyond.mounts, { 2: { create: "dir" } });
});

Deno.test("explain has what runts and the monitor do, too", RUNTS_LXC_ONLY, async () => {
  using containers = new LxcPath();
  Deno.mkdirSync(`${containers.path}/root`);
  const [lower, upper] = [`${containers.path}/root`, `${containers.path}/up`];
  containers.define(
    "c",
    `lxc.rootfs.path = overlay:${lower}:${upper}
lxc.rootfs.mount = /mnt
lxc.net.0.type = veth
lxc.net.0.link = br0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.0.0.5/24
lxc.net.0.ipv4.gateway = 10.0.0.1
lxc.net.0.script.up = /bin/true up
lxc.net.0.script.down = /bin/true down
lxc.tty.max = 1
lxc.hook.pre-start = /bin/true
lxc.hook.mount = /bin/true now
lxc.hook.stop = /bin/true
lxc.console.logfile = /var/log/c
lxc.cgroup.devices.deny = a
lxc.proc.oom_adj = 3
lxc.ephemeral = 1
`,
  );
  const { code, stdout, stderr } = await containers.run("explain", "-n", "c");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const rows = stdout.split("\n").map((line) => line.slice(6).replace(/ {2,}/g, " "));
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${containers.path}/work`;
  const expected = [
    `config:1 lxc.rootfs.path make ${upper} and ${containers.path}/work`,
    "config:11 lxc.hook.pre-start run /bin/true c lxc pre-start",
    " start the monitor in the cgroup lxc.monitor.c",
    "config:14 lxc.console.logfile let the monitor log the console to /var/log/c",
    "config:3 lxc.net.0.type let runts make a pair of network devices, on br0, 10.0.0.5/24, " +
    "gateway 10.0.0.1, up",
    "config:8 lxc.net.0.script.up let runts run /bin/true up c net up veth br0",
    "config:2 lxc.rootfs.mount open root filesystem /mnt, bound to itself",
    `config:1 lxc.rootfs.path mount overlay ${lower} on / (${layers})`,
    "config:12 lxc.hook.mount run /bin/true now c lxc mount",
    "config:10 lxc.tty.max make a terminal, seen as /dev/tty1",
    "config:15 lxc.cgroup.devices.deny let runts forbid all devices that the rules do not allow",
    "config:16 lxc.proc.oom_adj let runts write 3 to /proc/PID/oom_adj",
    "config:13 lxc.hook.stop run /bin/true c lxc stop",
    "config:9 lxc.net.0.script.down let runts run /bin/true down c net down veth br0",
    "config:3 lxc.net.0.type remove the network device (veth)",
    "config:17 lxc.ephemeral remove the container",
  ];
  assertEquals(rows.filter((row) => expected.includes(row)), expected, stdout);
});

Deno.test("explain names the first fault and counts the others", RUNTS_LXC_ONLY, async () => {
  using containers = new LxcPath();
  const file = containers.define("c", "lxc.tty.max = x\nlxc.pty.max = y\nlxc.utsname = c\n");
  const { code, stdout, stderr } = await containers.run("explain", "c");
  assertEquals({ code, stdout, stderr }, {
    code: 1,
    stdout: "",
    stderr:
      `runts: lxc explain: ${file}:1: lxc.tty.max: "x" is not a whole number from 0 to 1024 ` +
      '(and 1 more finding, see "runts lxc check")\n',
  });
});

Deno.test("an error of the plan names the line", RUNTS_LXC_ONLY, async () => {
  using containers = new LxcPath();
  Deno.mkdirSync(`${containers.path}/root`);
  const file = containers.define(
    "c",
    `lxc.rootfs.path = ${containers.path}/root\nlxc.sysctl.kernel.hostname = x\n`,
  );
  const { code, stderr } = await containers.run("explain", "-n", "c");
  assertEquals({ code, stderr }, {
    code: 1,
    stderr: `runts: lxc explain: ${file}:2: lxc.sysctl.kernel.hostname: "x" belongs into the ` +
      "property hostname, which sets this parameter\n",
  });
});

Deno.test("links under LXC's names run its verbs", RUNTS_LXC_ONLY, async () => {
  using containers = new LxcPath();
  const links = `${containers.path}/bin`;
  Deno.mkdirSync(links);
  containers.define("list", "lxc.uts.name = web\n");
  const { code, stdout } = await command([RUNTIME, "lxc", "install-links", links]);
  const made = Array.from(Deno.readDirSync(links), ({ name }) => `${links}/${name}`);
  assertEquals([code, stdout.trimEnd().split("\n").toSorted()], [0, made.toSorted()]);
  for (const verb of ["attach", "info", "ls", "start", "stop"]) {
    assert(made.includes(`${links}/lxc-${verb}`), verb);
  }
  assertEquals(await command([RUNTIME, "lxc", "install-links", links]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  const info = [`${links}/lxc-info`, "-P", containers.path, "-n", "list", "-c", "lxc.uts.name"];
  assertEquals(await command(info), { code: 0, stdout: "lxc.uts.name = web\n", stderr: "" });
  // Without a verb, and with a container that is called as a verb of runts.
  const ls = await command([`${links}/lxc-ls`, "-P", containers.path]);
  assertEquals(ls, { code: 0, stdout: "list\n", stderr: "" });
  const named = await command([
    `${links}/lxc-info`,
    "list",
    "-P",
    containers.path,
    "-c",
    "lxc.tty.max",
  ]);
  assertEquals(named.stdout, "lxc.tty.max = 0\n");
});

Deno.test("global options stand before, between and behind the words", RUNTS_LXC_ONLY, async () => {
  const words = ["lxc", "config", "lxc.lxcpath"];
  for (let place = 0; place <= words.length; place++) {
    const line = words.toSpliced(place, 0, "--root", "/nonexistent");
    const { code, stdout } = await command([RUNTIME, ...line]);
    assertEquals([code, stdout], [0, "/var/lib/lxc\n"], line.join(" "));
  }
});

Deno.test("an unknown verb is told those that there are", RUNTS_LXC_ONLY, async () => {
  const { code, stderr } = await command([RUNTIME, "lxc", "frob"]);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^runts: lxc: VERB "frob" is not one of attach, [a-z, -]*, update, update-config, usernsexec, wait: see "runts lxc --help"\n$/,
  );
});

/** Settings as LXC reads and prints them. */

import { assertEquals } from "@std/assert";
import { IS_LXC, LxcPath } from "../../support/lxc.ts";

/** Lines, a key, and the value that `info -c` prints. */
const VALUES: [lines: string, key: string, value: string][] = [
  ["lxc.uts.name = a", "lxc.uts.name", "a"],
  ["lxc.uts.name = 'a b'", "lxc.uts.name", "a b"],
  ["lxc.uts.name = \"a'", "lxc.uts.name", "\"a'"],
  ["lxc.uts.name = a # b", "lxc.uts.name", "a # b"],
  ["  lxc.uts.name  =   a=b  ", "lxc.uts.name", "a=b"],
  ["lxc.uts.name = a\nlxc.uts.name =", "lxc.uts.name", ""],
  ["lxc.tty.max = 0x4", "lxc.tty.max", "4"],
  ["lxc.tty.max = 010", "lxc.tty.max", "8"],
  ["", "lxc.autodev", "1"],
  ["lxc.autodev =", "lxc.autodev", "0"],
  ["lxc.start.order = -5", "lxc.start.order", "-5"],
  ["lxc.signal.halt = sigpwr", "lxc.signal.halt", "30"],
  ["lxc.signal.halt = SIGRTMIN+3", "lxc.signal.halt", "37"],
  ["", "lxc.monitor.signal.pdeath", "9"],
  ["lxc.cap.drop = sys_time mknod", "lxc.cap.drop", "sys_time\nmknod\n"],
  ["lxc.cap.keep = none kill", "lxc.cap.keep", "kill\n"],
  ["lxc.mount.auto = proc sys\nlxc.mount.auto = proc:rw", "lxc.mount.auto", "proc:rw sys:mixed"],
  ["lxc.mount.auto = cgroup cgroup-full:mixed", "lxc.mount.auto", "cgroup-full:mixed"],
  [
    "lxc.mount.entry = a b none bind\nlxc.mount.entry = c d none bind",
    "lxc.mount.entry",
    "a b none bind\nc d none bind\n",
  ],
  [
    "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536",
    "lxc.idmap",
    "u 0 100000 65536\ng 0 100000 65536",
  ],
  ["lxc.prlimit.nofile = 100: 200", "lxc.prlimit", "lxc.prlimit.nofile = 100:200\n"],
  ["lxc.sysctl.a = 1\nlxc.sysctl.a = 2", "lxc.sysctl", "lxc.sysctl.a = 2\n"],
  ["lxc.namespace.share.net = 1", "lxc.namespace.share.net", "1"],
  ["lxc.time.offset.boot = 3 h", "lxc.time.offset.boot", "10800 s\n"],
  ["lxc.time.offset.monotonic = 1us", "lxc.time.offset.monotonic", "1000ns\n"],
  ["lxc.net.5.type = veth\nlxc.net.2.type = empty", "lxc.net", "empty\nveth\n"],
  [
    "lxc.net.0.type = veth\nlxc.net.0.ipv4.address = 10.0.0.2/24 10.0.0.255\n" +
    "lxc.net.0.ipv4.address = 10.0.0.3",
    "lxc.net.0.ipv4.address",
    "10.0.0.2/24\n10.0.0.3/8",
  ],
  ["lxc.net.0.type = veth\nlxc.net.0.veth.vlan.id = none", "lxc.net.0.veth.vlan.id", "-1"],
  ["lxc.hook.mount = /a b\nlxc.hook.mount = /c", "lxc.hook.mount", "/a b\n/c\n"],
  ["lxc.hook.mount = /c\nlxc.hook =", "lxc.hook.mount", ""],
  [
    "lxc.cgroup.devices.deny = a\nlxc.cgroup.devices.allow = c 1:3 rwm\nlxc.cgroup.devices.allow =",
    "lxc.cgroup",
    "lxc.cgroup.devices.deny = a\n",
  ],
  ["lxc.cgroup2.memory.max = 1M", "lxc.cgroup2.memory.max", "1M\n"],
  ["lxc.group = a b\nlxc.group = c", "lxc.group", "a\nb\nc\n"],
  ["lxc.rootfs.path = overlay:/a:/b", "lxc.rootfs.path", "/a:/b"],
  ["lxc.log.level = 1", "lxc.log.level", "DEBUG"],
  ["lxc.arch = armhf", "lxc.arch", "i686"],
  ["lxc.console.buffer.size = 5000", "lxc.console.buffer.size", "8192"],
  ["lxc.console.size = 2MB", "lxc.console.size", "2097152"],
  ["lxc.init.groups = 5,6\nlxc.init.groups = 7", "lxc.init.groups", "5,6,7"],
  ["lxc.include = /usr/share/lxc/config/common.conf", "lxc.pty.max", "1024"],
  ["lxc.include = /nonexistent/", "lxc.uts.name", ""],
];

Deno.test("info -c prints each value as LXC does", async () => {
  using containers = new LxcPath();
  for (const [lines, key, value] of VALUES) {
    containers.define("c", `${lines}\n`);
    const { code, stdout } = await containers.run("info", "-n", "c", "-c", key);
    const expected = `${key} =${value === "" ? "" : ` ${value}`}\n`;
    assertEquals({ code, stdout }, { code: 0, stdout: expected }, lines);
  }
});

/** Lines that LXC refuses, too, and without a reason. */
const REFUSED = [
  "lxc.uts.name",
  "lxc.foo = a",
  "lxc.tty.max = -1",
  "lxc.autodev = 7",
  "lxc.start.auto = yes",
  "lxc.signal.halt = PWR",
  "lxc.cap.drop = sys_tme",
  "lxc.cap.keep = kill\nlxc.cap.drop = mknod",
  "lxc.mount.auto = proc:foo",
  "lxc.idmap = u 0 100000",
  "lxc.prlimit.nofile = 1k",
  "lxc.namespace.clone = mnt\nlxc.namespace.keep = net",
  "lxc.namespace.share.mount = 1",
  "lxc.time.offset.boot = 3d",
  "lxc.net.0.type = foo",
  "lxc.net.0.veth.pair = v0",
  "lxc.net = foo",
  "lxc.hook.prestart = /a",
  "lxc.hook.version = 2",
  "lxc.cgroup.dir = ../foo",
  "lxc.log.level = 9",
  "lxc.arch = foo",
  "lxc.console.rotate = 2",
  "lxc.init.groups = 5 6",
  "lxc.seccomp.notify.proxy = /x",
  "lxc.include = /nonexistent",
];

Deno.test("what LXC refuses is refused, with the line and the reason", async () => {
  using containers = new LxcPath();
  for (const lines of REFUSED) {
    const file = containers.define("c", `${lines}\n`);
    const { code, stderr } = await containers.run("info", "-n", "c", "-c", "lxc.uts.name");
    assertEquals(code, 1, lines);
    const start = IS_LXC ? "Failed to load config for c\n" : `runts: lxc info: ${file}:`;
    assertEquals(stderr.slice(0, start.length), start, lines);
  }
});

Deno.test("an unknown key is told, and is no failure", async () => {
  using containers = new LxcPath();
  containers.define("c", "");
  const { code, stdout } = await containers.run(
    "info",
    "-n",
    "c",
    "-c",
    "lxc.foo",
    "-c",
    "lxc.tty.max",
  );
  assertEquals({ code, stdout }, { code: 0, stdout: "lxc.tty.max = 0\n" });
});

Deno.test("a container that is not there is a failure", async () => {
  using containers = new LxcPath();
  const { code, stdout } = await containers.run("info", "-n", "none", "-c", "lxc.uts.name");
  assertEquals({ code, stdout }, { code: 1, stdout: "" });
});

Deno.test("-H prints the bare value, and the name may be the first word", async () => {
  using containers = new LxcPath();
  containers.define("c", "lxc.uts.name = a\n");
  const { code, stdout } = await containers.run("info", "c", "-c", "lxc.uts.name");
  assertEquals({ code, stdout }, { code: 0, stdout: "lxc.uts.name = a\n" });
  assertEquals((await containers.run("info", "c", "-H", "-c", "lxc.uts.name")).stdout, "a\n");
});

import { assertEquals } from "@std/assert";
import { findingText } from "../../../lib/lxc/config/place.ts";
import { type ReadConfig, readConfig } from "../../../lib/lxc/config/read.ts";

/** Reads texts by the paths of their files; the first is the configuration. */
function read(files: Record<string, string>, define: string[] = []): Promise<ReadConfig> {
  const paths = Object.keys(files);
  return readConfig({ file: paths[0]!, define }, {
    read(path) {
      if (!Object.hasOwn(files, path)) throw new Deno.errors.NotFound("(os error 2)");
      return files[path]!;
    },
    list(path) {
      const inside = paths.filter((one) => one.startsWith(`${path.replace(/\/+$/, "")}/`));
      return inside.length > 0
        ? inside.map((one) => one.slice(one.lastIndexOf("/") + 1))
        : undefined;
    },
  });
}

const texts = async (text: string) => (await read({ "/c/config": text })).findings.map(findingText);

Deno.test("lines: blanks, comments and quotes", async () => {
  const cases: [text: string, name: string][] = [
    ["lxc.uts.name = a", "a"],
    ["  lxc.uts.name  =   a   ", "a"],
    ["lxc.uts.name=a=b", "a=b"],
    ["lxc.uts.name = 'a b'", "a b"],
    ['lxc.uts.name = "a b"', "a b"],
    ["lxc.uts.name = \"a'", "\"a'"],
    ["lxc.uts.name = a # b", "a # b"],
    ["  # lxc.uts.name = a", ""],
    ["lxc.uts.name = a\nlxc.uts.name = b", "b"],
    ["lxc.uts.name = a\nlxc.uts.name =", ""],
    ["lxc.uts.name = a\r", "a"],
  ];
  for (const [text, name] of cases) {
    const { config, findings } = await read({ "/c/config": text });
    assertEquals([findings, config.show("lxc.uts.name")], [[], name], text);
  }
});

/** A line, and what is wrong with it: the message behind `/c/config:1: KEY: `. */
const FAULTS: [line: string, message: string][] = [
  ["lxc.tty.max = 4a", '"4a" is not a whole number from 0 to 1024'],
  ["lxc.autodev = 7", '"7" is not 0 or 1'],
  ["lxc.start.auto = yes", '"yes" is not 0 or 1'],
  ["lxc.autodev.tmpfs.size = 1M", '"1M" is not a whole number from 0 to 4294967295'],
  ["lxc.signal.halt = PWR", '"PWR" is not a signal: did you mean "SIGPWR"?'],
  ["lxc.signal.halt = SIGFOO", '"SIGFOO" is not a signal: did you mean "SIGFPE"?'],
  ["lxc.signal.stop = 99", '"99" is not a signal from 0 to 64'],
  ["lxc.cap.drop = sys_tme", '"sys_tme" is not a capability: did you mean "sys_time"?'],
  ["lxc.cap.drop = CAP_SYS_TIME", '"CAP_SYS_TIME" is not a capability: did you mean "sys_time"?'],
  ["lxc.cap.keep = 99", '"99" is not a capability: as sys_time, in lower case'],
  [
    "lxc.mount.auto = proc:foo",
    '"proc:foo" is not known: it is one of "proc", "proc:mixed", "proc:rw"',
  ],
  ["lxc.mount.auto = proce", '"proce" is not known: did you mean "proc"?'],
  [
    "lxc.mount.entry = a b",
    '"a b" has too few fields: SOURCE TARGET TYPE [OPTIONS] 0 0',
  ],
  ["lxc.mount.entry = a b none bind,rox", '"rox" is not a mount option: did you mean "ro"?'],
  ["lxc.mount.entry = a b tmpfs sizze=1", '"sizze=1" is not a mount option: did you mean "size"?'],
  [
    "lxc.mount.entry = a b none bind,craete=dir",
    '"craete=dir" is not a mount option: did you mean "create=dir"?',
  ],
  ["lxc.mount.entry = a ../b none bind", '"../b" leads upwards with ".."'],
  [
    "lxc.idmap = u 0 100000",
    '"u 0 100000" is not a range of ids: as "u 0 100000 65536" or "g 0 100000 65536"',
  ],
  ["lxc.prlimit.nofile = 200:100", '"200:100" has a soft limit above the hard one'],
  ["lxc.prlimit.nofle = 1", 'is not a key: did you mean "lxc.prlimit.nofile"?'],
  [
    "lxc.namespace.clone = mount",
    '"mount" is not one of mnt, pid, uts, ipc, net, user, cgroup, time: did you mean "mnt"?',
  ],
  ["lxc.namespace.share.mount = 1", 'is not a key: did you mean "lxc.namespace.share.mnt"?'],
  [
    "lxc.time.offset.boot = 3d",
    '"3d" is not a time: as "24h", "-30m", "5s", "100ms", "10us" or "7ns"',
  ],
  [
    "lxc.net.0.type = vet",
    '"vet" is not one of empty, none, veth, macvlan, ipvlan, vlan, phys: did you mean "veth"?',
  ],
  ["lxc.net.0.flag = up", 'is not a key: did you mean "lxc.net.0.flags"?'],
  ["lxc.net.type = veth", 'is not a key: did you mean "lxc.net.0.type"?'],
  ["lxc.net.0.link = br0", "needs lxc.net.0.type, too"],
  ["lxc.net.0.type = macvlan", '"macvlan" needs lxc.net.0.link'],
  ["lxc.hook.prestart = /a", 'is not a key: did you mean "lxc.hook.pre-start"?'],
  ["lxc.cgroup.dir = /foo", '"/foo" is an absolute path'],
  ["lxc.cgroup.dir.container = a", "needs lxc.cgroup.dir.monitor, too"],
  [
    "lxc.rootfs.path = overly:/a:/b",
    '"overly:/a:/b" is neither an absolute path nor begins with one of dir:, overlay:, loop:, nbd:, ' +
    'btrfs:, zfs:, lvm:, rbd:: did you mean "overlay"?',
  ],
  [
    "lxc.rootfs.path = overlay:/a",
    '"overlay:/a" has no upper directory: as "overlay:/lower:/upper"',
  ],
  ["lxc.console.size = 64K", '"64K" is not a size: as "auto", "131072", "128KB" or "1MB"'],
  ["lxc.uts.nam = a", 'is not a key: did you mean "lxc.uts.name"?'],
  ["lcx.uts.name = a", 'is not a key: did you mean "lxc.uts.name"?'],
  ["lxc.network.ipv4 = 10.0.0.1", "belongs to no network device: lxc.network.type begins one"],
  ["lxc.include = /none", '"/none": ENOENT (no such file or directory)'],
];

Deno.test("each fault is told with its line, its value and what was meant", async () => {
  for (const [line, message] of FAULTS) {
    const key = line.split(" ")[0];
    assertEquals(await texts(line), [`/c/config:1: ${key}: ${message}`], line);
  }
  assertEquals(await texts("lxc.uts.name"), [
    '/c/config:1: "lxc.uts.name" has no =, as KEY = VALUE',
  ]);
});

Deno.test("all faults are told, in the order of the lines", async () => {
  assertEquals(
    await texts(
      "lxc.tty.max = x\nlxc.uts.name = ok\n\nlxc.cap.drop = a1 b1\nlxc.cap.keep = kill\n",
    ),
    [
      '/c/config:1: lxc.tty.max: "x" is not a whole number from 0 to 1024',
      '/c/config:4: lxc.cap.drop: "a1" is not a capability: as sys_time, in lower case',
      '/c/config:4: lxc.cap.drop: "b1" is not a capability: as sys_time, in lower case',
    ],
  );
});

Deno.test("settings that contradict each other name the other line", async () => {
  assertEquals(await texts("lxc.cap.keep = kill\nlxc.cap.drop = mknod"), [
    "/c/config:1: lxc.cap.keep: contradicts lxc.cap.drop (line 2): only one of them may be set",
  ]);
  assertEquals(
    await texts("lxc.idmap = u 0 1000 10\nlxc.idmap = u 5 3000 10\nlxc.idmap = g 0 1000 10"),
    [
      '/c/config:2: lxc.idmap: "u 5 3000 10" overlaps "u 0 1000 10"',
    ],
  );
  assertEquals(await texts("lxc.net.0.type = empty\nlxc.net.0.veth.pair = v0"), [
    "/c/config:2: lxc.net.0.veth.pair: is for a device of type veth, and this one is empty (line 1)",
  ]);
  assertEquals(await texts("lxc.uts.name = a\nlxc.namespace.keep = uts"), [
    "/c/config:1: lxc.uts.name: would rename the host: lxc.namespace.keep (line 2) leaves the " +
    "container in the host's uts namespace",
  ]);
});

Deno.test("lists add up and an empty value forgets them", async () => {
  const cases: [text: string, key: string, shown: string][] = [
    [
      "lxc.cap.drop = sys_time mknod\nlxc.cap.drop = kill",
      "lxc.cap.drop",
      "sys_time\nmknod\nkill\n",
    ],
    ["lxc.cap.drop = sys_time\nlxc.cap.drop =", "lxc.cap.drop", ""],
    ["lxc.cap.keep = none kill", "lxc.cap.keep", "kill\n"],
    ["lxc.mount.auto = proc sys\nlxc.mount.auto = proc:rw", "lxc.mount.auto", "proc:rw sys:mixed"],
    ["lxc.hook.mount = /a\nlxc.hook.start = /b\nlxc.hook =", "lxc.hook.start", ""],
    ["lxc.net.0.type = veth\nlxc.net.2.type = empty\nlxc.net.0 =", "lxc.net", "empty\n"],
    ["lxc.net.5.type = veth\nlxc.net.2.type = empty", "lxc.net", "empty\nveth\n"],
    [
      "lxc.sysctl.a = 1\nlxc.sysctl.b = 2\nlxc.sysctl.a = 3",
      "lxc.sysctl",
      "lxc.sysctl.a = 3\nlxc.sysctl.b = 2\n",
    ],
    [
      "lxc.cgroup.devices.deny = a\nlxc.cgroup.devices.allow = c 1:3 rwm\nlxc.cgroup.devices.allow =",
      "lxc.cgroup",
      "lxc.cgroup.devices.deny = a\n",
    ],
    ["lxc.prlimit.nofile = 100: 200", "lxc.prlimit.nofile", "100:200"],
    ["lxc.group = a b\nlxc.group = c", "lxc.group", "a\nb\nc\n"],
    ["lxc.autodev =", "lxc.autodev", "0"],
    ["", "lxc.autodev", "1"],
  ];
  for (const [text, key, shown] of cases) {
    const { config, findings } = await read({ "/c/config": text });
    assertEquals([findings, config.show(key)], [[], shown], text);
  }
});

Deno.test("included files count where they stand", async () => {
  const { config, findings, files } = await read({
    "/c/config": "lxc.uts.name = a\nlxc.include = /i/\nlxc.tty.max = 2\nlxc.include = /none/",
    "/i/2.conf": "lxc.tty.max = 5\nlxc.pty.max = 7",
    "/i/1.conf": "lxc.uts.name = b\nlxc.pty.max = 6",
    "/i/README": "not a configuration",
  });
  assertEquals(findings, []);
  assertEquals(files, ["/c/config", "/i/1.conf", "/i/2.conf"]);
  assertEquals(
    ["lxc.uts.name", "lxc.tty.max", "lxc.pty.max"].map((key) => config.show(key)),
    ["b", "2", "7"],
  );
  assertEquals(config.get("lxc.pty.max")!.at, { file: "/i/2.conf", line: 2, key: "lxc.pty.max" });
});

Deno.test("a file that includes itself is a fault, not an endless loop", async () => {
  const { findings } = await read({ "/a": "lxc.include = /b", "/b": "\nlxc.include = /a" });
  assertEquals(findings.map(findingText), ['/b:2: lxc.include: "/a" includes itself']);
});

Deno.test("settings of the command line come last", async () => {
  const { config, findings } = await read({ "/c/config": "lxc.uts.name = a" }, [
    "lxc.uts.name = b",
    "lxc.tty.max=x",
  ]);
  assertEquals(config.show("lxc.uts.name"), "b");
  assertEquals(findings.map(findingText), [
    '-s: lxc.tty.max: "x" is not a whole number from 0 to 1024',
  ]);
});

Deno.test("old names are read, with a warning each", async () => {
  const { config, findings, warnings } = await read({
    "/c/config": [
      "lxc.utsname = a",
      "lxc.rootfs = /x:/y",
      "lxc.rootfs.backend = overlayfs",
      "lxc.limit.nofile = 5",
      "lxc.kmsg = 0",
      "lxc.network.type = veth",
      "lxc.network.link = br0",
      "lxc.network.type = veth",
      "lxc.network.ipv4 = 10.0.0.1/24",
      "lxc.network.7.type = empty",
    ].join("\n"),
  });
  assertEquals(findings, []);
  assertEquals(config.get("lxc.rootfs.path")?.value, { driver: "overlay", parts: ["/x", "/y"] });
  assertEquals(
    ["lxc.uts.name", "lxc.prlimit.nofile", "lxc.net.0.link", "lxc.net.1.ipv4.address", "lxc.net"]
      .map((key) => config.show(key)),
    ["a", "5", "br0", "10.0.0.1/24", "veth\nveth\nempty\n"],
  );
  assertEquals(warnings.map(findingText), [
    "/c/config:1: lxc.utsname: is the old name of lxc.uts.name",
    "/c/config:2: lxc.rootfs: is the old name of lxc.rootfs.path",
    "/c/config:3: lxc.rootfs.backend: is written in front of lxc.rootfs.path today",
    "/c/config:4: lxc.limit.nofile: is the old name of lxc.prlimit.nofile",
    "/c/config:5: lxc.kmsg: is ignored: /dev/kmsg is not linked to the console any more",
    "/c/config:6: lxc.network.type: is the old name of lxc.net.0.type",
    "/c/config:7: lxc.network.link: is the old name of lxc.net.0.link",
    "/c/config:8: lxc.network.type: is the old name of lxc.net.1.type",
    "/c/config:9: lxc.network.ipv4: is the old name of lxc.net.1.ipv4.address",
    "/c/config:10: lxc.network.7.type: is the old name of lxc.net.7.type",
  ]);
});

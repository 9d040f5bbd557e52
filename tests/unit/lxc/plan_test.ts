import { assert, assertEquals, assertObjectMatch } from "@std/assert";
import { findingText, placeText } from "../../../lib/lxc/config/place.ts";
import { inItsLine, originOf } from "../../../lib/lxc/plan/draft.ts";
import { hookCall, scriptCall } from "../../../lib/lxc/plan/hook_call.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { CAPABILITIES } from "../../../lib/spec/values/capabilities.ts";
import { faults, HOST, sound } from "../../support/lxc_plan.ts";

Deno.test("an empty configuration is a container of the host's root", async () => {
  const { spec, beyond } = await sound("");
  assertEquals(spec.root, { path: "/" });
  assertEquals(spec.process?.args, ["/sbin/init"]);
  assertEquals(spec.process?.env, ["container=lxc"]);
  assertEquals(spec.process?.capabilities?.bounding, [...CAPABILITIES]);
  assertEquals(spec.linux?.namespaces?.map(({ type }) => type), [
    ...["mount", "pid", "uts", "ipc", "network", "cgroup"] as const,
  ]);
  assertEquals(spec.linux?.cgroupsPath, "/lxc.payload.web");
  assertEquals(spec.linux?.resources, { devices: [{ allow: true, access: "rwm" }] });
  assertEquals(beyond.signals, { reboot: 2, stop: 9, parentDeath: 9 });
  assertEquals(beyond.cgroup.monitor, "lxc.monitor.web");
});

Deno.test("init: command, ids, directory, environment, limits and rights", async () => {
  const { spec } = await sound(`lxc.init.cmd = /bin/prog a  b
lxc.init.uid = 5
lxc.init.gid = 6
lxc.init.groups = 7,8
lxc.init.cwd = /srv
lxc.environment = A=1
lxc.environment = HOME
lxc.prlimit.nofile = 100:unlimited
lxc.cap.keep = sys_time kill
lxc.no_new_privs = 1
lxc.arch = i686
lxc.proc.oom_score_adj = 10
lxc.apparmor.profile = mine`);
  assertObjectMatch(spec.process!, {
    args: ["/bin/prog", "a", "b"],
    user: { uid: 5, gid: 6, additionalGids: [7, 8] },
    cwd: "/srv",
    env: ["container=lxc", "A=1", "HOME=/root"],
    rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 0xffffffffffffffffn }],
    noNewPrivileges: true,
    oomScoreAdj: 10,
    apparmorProfile: "mine",
  });
  const set = ["CAP_SYS_TIME", "CAP_KILL"];
  assertEquals(spec.process?.capabilities, {
    bounding: set,
    effective: set,
    permitted: set,
    inheritable: [],
    ambient: [],
  });
  assertEquals(spec.linux?.personality, { domain: "LINUX32" });
  assertEquals(await faults("lxc.environment = NONE"), [
    '/c/config:1: lxc.environment: "NONE" is not set in the environment of the caller',
  ]);
  assertEquals((await sound("lxc.cap.keep = none")).spec.process?.capabilities?.bounding, []);
});

Deno.test("contexts of SELinux are handed on; unconfined_t is none", async () => {
  const { spec, beyond, origins } = await sound(`lxc.selinux.context = system_u:system_r:lxc_t:s0:c1
lxc.selinux.context.keyring = system_u:system_r:key_t:s0`);
  assertEquals(spec.process?.selinuxLabel, "system_u:system_r:lxc_t:s0:c1");
  assertEquals(beyond.security.keyringContext, "system_u:system_r:key_t:s0");
  assertEquals(originOf(origins, "process.selinuxLabel")?.line, 1);
  assertEquals(originOf(origins, "beyond.security.keyringContext")?.line, 2);
  const old = await sound("lxc.se_context = u:r:x:s0");
  assertEquals(old.spec.process?.selinuxLabel, "u:r:x:s0");
  const none = await sound("lxc.selinux.context = unconfined_t");
  assertEquals(none.spec.process?.selinuxLabel, undefined);
});

Deno.test("namespaces: kept, cloned, shared, mapped and shifted", async () => {
  const types = async (text: string) =>
    (await sound(text)).spec.linux?.namespaces?.map(({ type }) => type);
  assertEquals(await types("lxc.namespace.keep = net ipc"), ["mount", "pid", "uts", "cgroup"]);
  assertEquals(await types("lxc.namespace.clone = mnt pid"), ["mount", "pid"]);
  assertEquals(await types("lxc.net.0.type = none"), ["mount", "pid", "uts", "ipc", "cgroup"]);
  const { spec, beyond, origins } = await sound(`lxc.namespace.share.net = 42
lxc.namespace.share.ipc = other
lxc.idmap = u 0 100000 65536
lxc.idmap = g 0 100000 65536
lxc.time.offset.boot = -1500ms`);
  assertEquals(spec.linux?.namespaces?.slice(-3), [
    { type: "user" },
    { type: "time" },
    { type: "network", path: "/proc/42/ns/net" },
  ]);
  assertEquals(beyond.namespaces.shared, [{ type: "ipc", container: "other" }]);
  assertEquals(spec.linux?.uidMappings, [{ containerID: 0, hostID: 100000, size: 65536 }]);
  assertEquals(spec.linux?.timeOffsets, { boottime: { secs: -2n, nanosecs: 500_000_000 } });
  assertEquals(placeText(originOf(origins, "linux.uidMappings")!), "/c/config:3");
});

Deno.test("mounts stand in LXC's order, with what is particular to each", async () => {
  const { spec, beyond, origins } = await sound(
    `lxc.rootfs.path = dir:/srv/root
lxc.pty.max = 1024
lxc.tty.max = 4
lxc.mount.auto = proc sys:mixed
lxc.mount.fstab = /c/fstab
lxc.mount.entry = /data data none rbind,ro,create=dir,optional 0 0
lxc.mount.entry = dev/null /srv/root/proc/kcore none bind,relative 0 0`,
    { fstab: { path: "/c/fstab", text: "# more\n\ntmpfs a\\040b tmpfs size=1m 0 0\n" } },
  );
  assertEquals(spec.mounts, [
    { destination: "/dev", type: "tmpfs", source: "none", options: ["mode=755", "size=500000"] },
    {
      destination: "/proc",
      type: "proc",
      source: "proc",
      options: ["nosuid", "nodev", "noexec"],
    },
    {
      destination: "/sys",
      type: "sysfs",
      source: "sysfs",
      options: ["nosuid", "nodev", "noexec", "ro"],
    },
    { destination: "/a b", type: "tmpfs", source: "tmpfs", options: ["size=1m"] },
    { destination: "/data", source: "/data", options: ["rbind", "ro"] },
    { destination: "/proc/kcore", source: "/srv/root/dev/null", options: ["bind"] },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: [
        ...["nosuid", "noexec", "newinstance", "gid=5", "mode=620", "ptmxmode=666", "max=1028"],
      ],
    },
  ]);
  assertEquals(beyond.mounts, {
    3: {},
    4: { create: "dir", optional: true },
    5: { relative: true },
  });
  assertEquals(spec.linux?.readonlyPaths, ["/proc/sys", "/proc/sysrq-trigger"]);
  assertEquals(beyond.writable, ["/proc/sys/net", "/sys/devices/virtual/net"]);
  const place = (path: string) => placeText(originOf(origins, path)!);
  assertEquals(place("mounts[3].options[0]"), "/c/fstab:3");
  assertEquals(place("mounts[4]"), "/c/config:6");
  assertEquals(place("linux.readonlyPaths[0]"), "/c/config:4");
  assertEquals(place("root.path"), "/c/config:1");
});

Deno.test("a fault of the mount table names its own line", async () => {
  assertEquals(
    await faults("lxc.mount.fstab = /f", { fstab: { path: "/f", text: "\na b none bind,rox\n" } }),
    ['/f:2: "rox" is not a mount option: did you mean "ro"?'],
  );
});

Deno.test("an overlay has its work directory beside the upper one", async () => {
  const { spec, beyond } = await sound(
    "lxc.rootfs.path = overlay:/a:/b:/c/up\nlxc.rootfs.options = ro",
  );
  assertEquals(spec.root, { path: "/run/runts/.lxc", readonly: true });
  assertObjectMatch(beyond.rootfs, {
    driver: "overlay",
    parts: ["/a", "/b", "/c/up"],
    work: "/c/work",
  });
});

const LIMITS = `lxc.cgroup.memory.limit_in_bytes = 64M
lxc.cgroup.cpu.shares = 512
lxc.cgroup.memory.swappiness = 10
lxc.cgroup.memory.move_charge_at_immigrate = 3
lxc.cgroup.blkio.throttle.read_bps_device = 8:0 1000
lxc.cgroup.devices.deny = a
lxc.cgroup.devices.allow = c 1:3 rwm`;

Deno.test("limits of version 1 on a host of version 1", async () => {
  const { spec, beyond, origins } = await sound(LIMITS);
  assertEquals(spec.linux?.resources, {
    memory: { limit: 67108864, swappiness: 10 },
    cpu: { shares: 512 },
    blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }] },
    devices: [
      { allow: true, access: "rwm" },
      { allow: false, access: "rwm" },
      { allow: true, type: "c", major: 1, minor: 3, access: "rwm" },
    ],
  });
  assertEquals(beyond.cgroup.files, [
    { controller: "memory", file: "memory.move_charge_at_immigrate", value: "3" },
  ]);
  assertEquals(placeText(originOf(origins, "linux.resources.memory.limit")!), "/c/config:1");
  assertEquals(placeText(originOf(origins, "linux.resources.devices[2]")!), "/c/config:7");
});

Deno.test("the same on a host of version 2, with a word for what it does not have", async () => {
  const { spec, beyond, warnings } = await sound(LIMITS, { host: { ...HOST, cgroup: "v2" } });
  assertObjectMatch(spec.linux!.resources!, {
    memory: { limit: 67108864 },
    cpu: { shares: 512 },
    blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }] },
  });
  assertEquals(spec.linux?.resources?.memory, { limit: 67108864 });
  assertEquals(beyond.cgroup.files, []);
  assertEquals(spec.linux?.resources?.devices?.length, 3);
  assertEquals(warnings.map(findingText), [
    "/c/config:3: lxc.cgroup.memory.swappiness: means nothing on cgroup v2: it is one value for the host",
    "/c/config:4: lxc.cgroup.memory.move_charge_at_immigrate: means nothing on cgroup v2: memory " +
    "stays where it was charged",
  ]);
});

Deno.test("whoever sets a controller for version 2 has said all of it", async () => {
  const text = `lxc.cgroup.memory.limit_in_bytes = 64M
lxc.cgroup.blkio.weight = 10
lxc.cgroup.devices.deny = a
lxc.cgroup2.memory.high = 32M
lxc.cgroup2.devices.allow = a`;
  const { spec } = await sound(text, { host: { ...HOST, cgroup: "v2" } });
  assertEquals(spec.linux?.resources, {
    blockIO: { weight: 10 },
    unified: { "memory.high": "32M" },
    devices: [{ allow: true, access: "rwm" }, { allow: true, access: "rwm" }],
  });
  assertEquals((await sound(text)).spec.linux?.resources?.unified, undefined);
});

Deno.test("faults of limits name their lines", async () => {
  assertEquals(
    await faults(`lxc.cgroup.memory.limit_in_bytes = much
lxc.cgroup.foo = 1
lxc.cgroup.devices.allow = c 1:x rwm
lxc.cgroup.devices.alow = a`),
    [
      '/c/config:1: lxc.cgroup.memory.limit_in_bytes: "much" is no value of memory.limit_in_bytes',
      '/c/config:2: lxc.cgroup.foo: "foo" is not the name of a cgroup file: as memory.max or cpu.shares',
      '/c/config:3: lxc.cgroup.devices.allow: "c 1:x rwm" is not a device rule: as "a", "c 1:3 rwm" ' +
      'or "b *:* m"',
      "/c/config:4: lxc.cgroup.devices.alow: is not a key: did you mean devices.allow or devices.deny?",
    ],
  );
});

Deno.test("cgroups are where the configuration wants them", async () => {
  const paths = async (text: string) => {
    const { spec, beyond: { cgroup } } = await sound(text);
    return [spec.linux?.cgroupsPath, cgroup.container, cgroup.monitor, cgroup.pivot];
  };
  assertEquals(await paths("lxc.cgroup.dir = a/b"), [
    "/a/b/lxc.payload.web",
    "a/b/lxc.payload.web",
    "a/b/lxc.monitor.web",
    "a/b/lxc.pivot",
  ]);
  assertEquals(
    await paths(
      "lxc.cgroup.dir.container = p\nlxc.cgroup.dir.monitor = m\nlxc.cgroup.dir.container.inner = i\n" +
        "lxc.cgroup.relative = 1",
    ),
    ["p/i", "p", "m", "lxc.pivot"],
  );
});

Deno.test("kernel parameters of the host are refused", async () => {
  assertEquals((await sound("lxc.sysctl.net.ipv4.ip_forward = 1")).spec.linux?.sysctl, {
    "net.ipv4.ip_forward": "1",
  });
  assertEquals(await faults("lxc.sysctl.vm.swappiness = 1"), [
    "/c/config:1: lxc.sysctl.vm.swappiness: would change the host: the parameter belongs to no namespace",
  ]);
  assertEquals(await faults("lxc.sysctl.net.ipv4.ip_forward = 1\nlxc.net.0.type = none"), [
    '/c/config:1: lxc.sysctl.net.ipv4.ip_forward: "1" would change the host: there is no network ' +
    "namespace in linux.namespaces",
  ]);
});

Deno.test("network devices", async () => {
  const { beyond } = await sound(`lxc.net.1.type = empty
lxc.net.0.type = veth
lxc.net.0.link = br0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.0.0.2/24 10.0.0.255
lxc.net.0.ipv4.gateway = auto
lxc.net.0.veth.vlan.id = none
lxc.net.0.veth.mode = router`);
  assertEquals(beyond.network.map(({ index, type }) => [index, type]), [[0, "veth"], [1, "empty"]]);
  assertObjectMatch(beyond.network[0]!, {
    link: "br0",
    up: true,
    ipv4: [{ address: "10.0.0.2", prefix: 24, broadcast: "10.0.0.255" }],
    ipv4Gateway: "auto",
    veth: { mode: "router", vlan: null },
  });
});

const HOOKED = `lxc.rootfs.path = /srv/root
lxc.rootfs.mount = /mnt
lxc.console.logfile = /log
lxc.hook.pre-start = /bin/h one
lxc.hook.stop = /bin/s
lxc.net.0.type = veth
lxc.net.0.link = br0
lxc.net.0.script.up = /bin/up`;

const VARIABLES = [
  "LXC_NAME=web",
  "LXC_CONFIG_FILE=/c/config",
  "LXC_ROOTFS_MOUNT=/mnt",
  "LXC_ROOTFS_PATH=/srv/root",
  "LXC_CONSOLE_LOGPATH=/log",
  "LXC_CGNS_AWARE=1",
  "LXC_LOG_LEVEL=ERROR",
];

Deno.test("hooks of version 0 are told by their arguments", async () => {
  const made = await sound(HOOKED);
  assertEquals(hookCall(made, "pre-start", made.beyond.hooks.stages["pre-start"]![0]!), {
    args: ["/bin/sh", "-c", 'exec /bin/h one "$@"', "sh", "web", "lxc", "pre-start"],
    env: [...VARIABLES, "LXC_HOOK_VERSION=0"],
  });
  const namespaces = { mnt: "/proc/1/fd/3", net: "/proc/1/fd/4" };
  const stop = hookCall(made, "stop", "/bin/s", { pid: 5, target: "stop", namespaces });
  assertEquals(stop.args.slice(4), ["web", "lxc", "stop", "mnt:/proc/1/fd/3", "net:/proc/1/fd/4"]);
  assertEquals(stop.env.slice(-4), [
    "LXC_PID=5",
    "LXC_TARGET=stop",
    "LXC_MNT_NS=/proc/1/fd/3",
    "LXC_NET_NS=/proc/1/fd/4",
  ]);
  const device = made.beyond.network[0]!;
  assertEquals(scriptCall(made, device, "up", { peer: "veth1" })?.args.slice(4), [
    ...["web", "net", "up", "veth", "br0", "veth1"],
  ]);
  assertEquals(scriptCall(made, device, "down"), undefined);
});

Deno.test("hooks of version 1 are told by their environment", async () => {
  const made = await sound(`${HOOKED}\nlxc.hook.version = 1`);
  const call = hookCall(made, "pre-start", "/bin/h one");
  assertEquals(call.args.slice(4), []);
  assertEquals(call.env.slice(-3), [
    "LXC_HOOK_VERSION=1",
    "LXC_HOOK_TYPE=pre-start",
    "LXC_HOOK_SECTION=lxc",
  ]);
  const script = scriptCall(made, made.beyond.network[0]!, "up", { peer: "veth1" })!;
  assertEquals(script.args.slice(4), ["veth", "br0", "veth1"]);
  assertEquals(script.env.slice(-5), [
    "LXC_HOOK_TYPE=up",
    "LXC_HOOK_SECTION=net",
    "LXC_NET_TYPE=veth",
    "LXC_NET_PARENT=br0",
    "LXC_NET_PEER=veth1",
  ]);
});

Deno.test("an error about a part of the specification names the line", async () => {
  const { origins } = await sound("\nlxc.mount.entry = /x y none bind");
  const error = new RuntsError("bind", { configPath: "mounts[0].source", errno: 2 });
  assertEquals(
    inItsLine(error, origins).message,
    "/c/config:2: lxc.mount.entry: bind: ENOENT (no such file or directory)",
  );
  const other = new RuntsError("x", { configPath: "linux.devices[0]" });
  assertEquals(inItsLine(other, origins).message, "linux.devices[0]: x");
});

Deno.test("a plan is plain data", async () => {
  const made = await sound(HOOKED);
  assertEquals(structuredClone(made), made);
  assert(Object.keys(made.origins).length > 0);
});

/** The checks of doctor on hosts that are made up. */

import { assert, assertEquals } from "@std/assert";
import { doctorText } from "../../../lib/cli/doctor_view.ts";
import { PLAIN } from "../../../lib/cli/explain_view.ts";
import { examine } from "../../../lib/doctor/doctor.ts";
import { type Area, AREAS, type Finding, type Host } from "../../../lib/doctor/findings.ts";

const UNIFIED = { controller: "", mountPoint: "/sys/fs/cgroup", own: "/system.slice/x.service" };

/** What the files of a host say that has everything. */
const FILES: Readonly<Record<string, string>> = {
  "/proc/filesystems": "nodev\tmqueue\n\tfuseblk\nnodev\tfuse",
  "/lib/modules/6.18.0/modules.dep": "kernel/fs/overlayfs/overlay.ko.xz:",
  "/sys/fs/resctrl/schemata": "",
  "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc",
  "/sys/fs/cgroup/system.slice/x.service/memory.swap.max": "max",
  "/proc/pressure/cpu": "",
  "/proc/sys/kernel/seccomp/actions_avail": "kill_process errno user_notif allow",
  "/sys/module/apparmor/parameters/enabled": "Y",
  "/sys/kernel/security/apparmor": "",
  "/proc/self/mountinfo":
    "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:9 / /run rw,nosuid - tmpfs tmpfs rw",
  ...Object.fromEntries(
    ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"]
      .map((name) => [`/proc/self/ns/${name}`, ""]),
  ),
};

/** A host that differs from the one that has everything; a file that is undefined is not there. */
function hostWith(
  change: Partial<Host>,
  files: Readonly<Record<string, string | undefined>> = {},
  variables: Readonly<Record<string, string>> = {},
): Host {
  const all: Readonly<Record<string, string | undefined>> = { ...FILES, ...files };
  return {
    kernel: "6.18.0",
    uid: 0,
    isRoot: true,
    proc: "/proc/self",
    cgroups: { mode: "v2", hierarchies: [UNIFIED] },
    variable: (name) => variables[name],
    text: (path) => all[path],
    has: (path) => all[path] !== undefined,
    mayWrite: () => true,
    program: (name) => `/usr/bin/${name}`,
    mode: () => 0o104755,
    libseccomp: "2.5.4",
    systemd: undefined,
    root: "/run/runts",
    criu: "criu",
    brain: "/run/runts/.brain",
    ...change,
  };
}

/** The one finding of that name, without what is the same for all. */
function finding(host: Host, area: Area, name: string): Partial<Finding> | undefined {
  const found = examine(host, [area]).find((one) => one.name === name);
  if (found === undefined) return undefined;
  const { area: _, name: __, ...rest } = found;
  return rest;
}

/** The same for an ordinary user. */
const USER = { uid: 1000, isRoot: false };
const ACCOUNTS = {
  "/etc/passwd": "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh",
  "/etc/subuid": "me:100000:65536",
  "/etc/subgid": "1000:100000:65536",
  "/run/user/1000": "",
};

Deno.test("a host that has everything", () => {
  const all = examine(hostWith({}));
  assertEquals(all.filter(({ condition }) => condition === "missing"), []);
  assertEquals([...new Set(all.map(({ area }) => area))], [...AREAS]);
});

Deno.test("areas can be chosen; names are told apart", () => {
  const some = examine(hostWith({}), ["tools", "kernel"]);
  assertEquals([...new Set(some.map(({ area }) => area))], ["kernel", "tools"]);
  const all = examine(hostWith(USER, ACCOUNTS)).map(({ area, name }) => `${area} ${name}`);
  assertEquals(new Set(all).size, all.length);
});

Deno.test("whatever is missing has an effect and a remedy", () => {
  const nothing = hostWith({
    ...USER,
    kernel: "5.10.0-30-amd64",
    cgroups: { mode: "none", hierarchies: [] },
    program: () => undefined,
    libseccomp: undefined,
    systemd: "connect to the bus: ENOENT (no such file or directory)",
    text: () => undefined,
    has: () => false,
  });
  const missing = examine(nothing).filter(({ condition }) => condition === "missing");
  assert(missing.length > 15);
  for (const { name, effect, remedy } of missing) assert(effect && remedy, name);
});

Deno.test("kernel", () => {
  assertEquals(finding(hostWith({ kernel: "5.10.0-30-amd64" }), "kernel", "release"), {
    condition: "missing",
    found: "Linux 5.10.0-30-amd64",
    effect: "containers cannot be made",
    remedy: "install a kernel of Linux 5.12 or newer",
  });
  assertEquals(finding(hostWith({ kernel: "5.15.0" }), "kernel", "later features"), {
    condition: "missing",
    found: "Linux 5.15.0",
    effect: "not to be had: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, id maps of a tmpfs",
    remedy: "install a kernel of Linux 6.3 or newer",
  });
  assertEquals(
    finding(hostWith({}, { "/proc/self/ns/time": undefined }), "kernel", "namespaces"),
    {
      condition: "missing",
      found: "no time",
      effect: "linux.namespaces cannot ask for these",
      remedy: "use a kernel with CONFIG_TIME_NS",
    },
  );
  const bare = { "/proc/filesystems": "nodev\tmqueue", "/lib/modules/6.18.0/modules.dep": "" };
  assertEquals(finding(hostWith({}, bare), "kernel", "file systems"), {
    condition: "missing",
    found: "no overlay, fuse",
    effect: "mounts cannot be of these types",
    remedy: "use a kernel with CONFIG_OVERLAY_FS, CONFIG_FUSE_FS",
  });
  const strict = { "/proc/sys/vm/memfd_noexec": "2" };
  assertEquals(finding(hostWith({}, strict), "kernel", "executable memory"), {
    condition: "missing",
    found: "vm.memfd_noexec is 2",
    effect: "init cannot be started, and no container be made",
    remedy: "sysctl vm.memfd_noexec=1",
  });
  assertEquals(finding(hostWith({ kernel: "6.1.0" }), "kernel", "ends of processes"), {
    condition: "note",
    found: "Linux 6.1.0",
    effect: "how a process ended is known to its parent alone; supervised containers have one",
  });
});

Deno.test("resctrl is missing only where the processor has it", () => {
  const none = { "/sys/fs/resctrl/schemata": undefined };
  assertEquals(finding(hostWith({}, none), "kernel", "resctrl")?.condition, "note");
  const able = { ...none, "/proc/cpuinfo": "model\t: x\nflags\t\t: fpu rdt_a sse\n" };
  assertEquals(finding(hostWith({}, able), "kernel", "resctrl"), {
    condition: "missing",
    found: "not mounted",
    effect: "linux.intelRdt will not work",
    remedy: "mount -t resctrl resctrl /sys/fs/resctrl",
  });
});

Deno.test("cgroups of a hybrid host", () => {
  const v1 = ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb"].map((controller) => ({
    controller,
    mountPoint: `/sys/fs/cgroup/${controller}`,
    own: "",
  }));
  const unified = { controller: "", mountPoint: "/sys/fs/cgroup/unified", own: "" };
  const files = { "/sys/fs/cgroup/unified/cgroup.controllers": "" };
  const host = hostWith({ cgroups: { mode: "hybrid", hierarchies: [...v1, unified] } }, files);
  assertEquals(finding(host, "cgroups", "layout"), {
    condition: "missing",
    found: "controllers of cgroup v1, beside cgroup v2",
    effect: "linux.resources.unified, pressure and delegation to users will not work",
    remedy: "boot with systemd.unified_cgroup_hierarchy=1",
  });
  assertEquals(finding(host, "cgroups", "controllers"), {
    condition: "missing",
    found: "no rdma",
    effect: "linux.resources: rdma will not work",
    remedy: "use a kernel that has them, and no cgroup_disable= on its command line",
  });
  assertEquals(finding(host, "cgroups", "swap"), {
    condition: "missing",
    found: "no memory.memsw.limit_in_bytes",
    effect: "linux.resources.memory.swap will not work",
    remedy: "boot with swapaccount=1",
  });
});

Deno.test("cgroups of cgroup v2", () => {
  assertEquals(finding(hostWith({}), "cgroups", "controllers"), {
    condition: "works",
    found: "cpu cpuset hugetlb io memory pids rdma",
  });
  const none = { "/sys/fs/cgroup/system.slice/x.service/memory.swap.max": undefined };
  assertEquals(finding(hostWith({}, none), "cgroups", "swap")?.condition, "missing");
  const root = { cgroups: { mode: "v2", hierarchies: [{ ...UNIFIED, own: "" }] } } as const;
  assertEquals(finding(hostWith(root), "cgroups", "swap")?.condition, "works");
  const without = { "/proc/cmdline": "quiet swapaccount=0" };
  assertEquals(finding(hostWith(root, without), "cgroups", "swap")?.condition, "missing");
  assertEquals(
    finding(hostWith({}, { "/proc/pressure/cpu": undefined }), "cgroups", "pressure")?.remedy,
    "boot with psi=1",
  );
  const nobody = hostWith({ systemd: "ENOENT (no such file or directory)" });
  assertEquals(finding(nobody, "cgroups", "systemd"), {
    condition: "missing",
    found: "ENOENT (no such file or directory)",
    effect: "--systemd-cgroup will not work",
    remedy: "run systemd as the host's init, or use --cgroup-manager=cgroupfs",
  });
});

Deno.test("delegation is for those who are not root", () => {
  assertEquals(finding(hostWith({}), "cgroups", "delegation"), undefined);
  const foreign = hostWith({ ...USER, mayWrite: () => false });
  assertEquals(finding(foreign, "cgroups", "delegation"), {
    condition: "missing",
    found: "/sys/fs/cgroup/system.slice is not this user's",
    effect: "limits of this user's containers will not work with --cgroup-manager=cgroupfs",
    remedy: "use --systemd-cgroup, or run inside systemd-run --user --scope -p Delegate=yes",
  });
  const part = { "/sys/fs/cgroup/system.slice/cgroup.controllers": "memory pids" };
  assertEquals(finding(hostWith(USER, part), "cgroups", "delegation"), {
    condition: "missing",
    found: "no cpu, cpuset, io",
    effect: "this user's containers cannot be limited by these",
    remedy: "a drop-in of user@.service with [Service] Delegate=cpu cpuset io memory pids",
  });
});

Deno.test("users", () => {
  assertEquals(examine(hostWith({}), ["users"]).map(({ name }) => name), ["user namespaces"]);
  const all = examine(hostWith(USER, ACCOUNTS), ["users"]);
  assertEquals(all.filter(({ condition }) => condition !== "works"), []);
  const few = hostWith(USER, { ...ACCOUNTS, "/etc/subuid": "me:100000:10" });
  assertEquals(finding(few, "users", "subordinate user ids"), {
    condition: "missing",
    found: "10 in /etc/subuid",
    effect: "containers that use 65536 ids will not work",
    remedy: "as root: usermod --add-subuids 100000-165535 me",
  });
  const noTool = hostWith({ ...USER, program: () => undefined }, ACCOUNTS);
  assertEquals(finding(noTool, "users", "newuidmap"), {
    condition: "missing",
    found: "not in PATH",
    effect: "only one id can be mapped",
    remedy: "install the package uidmap (shadow-utils elsewhere)",
  });
  const plain = hostWith({ ...USER, mode: () => 0o100755 }, ACCOUNTS);
  assertEquals(finding(plain, "users", "newgidmap"), {
    condition: "note",
    found: "/usr/bin/newgidmap is not set-user-ID root",
    effect: "unless it has capabilities of its own (getcap /usr/bin/newgidmap), " +
      "only one id can be mapped",
  });
  const other = hostWith(USER, ACCOUNTS, { XDG_RUNTIME_DIR: "/nowhere" });
  assertEquals(finding(other, "users", "runtime directory")?.found, "no /nowhere");
});

Deno.test("policies that keep user namespaces from users", () => {
  const remedies: [file: string, value: string, remedy: string][] = [
    ["user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=28633"],
    ["kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"],
    [
      "kernel/apparmor_restrict_unprivileged_userns",
      "1",
      "an AppArmor profile for runts with the rule userns",
    ],
  ];
  for (const [file, value, remedy] of remedies) {
    const host = hostWith({}, { [`/proc/sys/${file}`]: value });
    const found = finding(host, "users", "user namespaces");
    assertEquals([found?.condition, found?.remedy], ["missing", remedy]);
  }
});

Deno.test("security", () => {
  const without = hostWith({ libseccomp: undefined }, {
    "/proc/sys/kernel/seccomp/actions_avail": undefined,
    "/sys/module/apparmor/parameters/enabled": "N",
  });
  const missing = examine(without, ["security"]);
  assertEquals(missing.map(({ name, condition }) => `${name} ${condition}`), [
    "seccomp missing",
    "libseccomp missing",
    "apparmor missing",
  ]);
  const selinux = hostWith({}, {
    "/sys/module/apparmor/parameters/enabled": undefined,
    "/sys/fs/selinux/enforce": "1",
  });
  assertEquals(finding(selinux, "security", "apparmor"), {
    condition: "note",
    found: "SELinux is in its place",
    effect: "process.apparmorProfile will not work",
  });
  assertEquals(finding(selinux, "security", "selinux"), {
    condition: "works",
    found: "it is enforced",
  });
  assertEquals(finding(hostWith({}), "security", "selinux")?.condition, "note");
});

Deno.test("tools", () => {
  const none = { program: () => undefined };
  assertEquals(finding(hostWith(none), "tools", "criu"), {
    condition: "missing",
    found: "no criu in PATH",
    effect: "containers cannot be checkpointed and restored",
    remedy: "install the package criu, or name it: --criu PATH",
  });
  const named = hostWith({ ...none, criu: "/opt/criu" }, { "/opt/criu": "" });
  assertEquals(finding(named, "tools", "criu"), { condition: "works", found: "/opt/criu" });
  assertEquals(finding(hostWith(none), "tools", "ps")?.condition, "missing");
  const slower = {
    condition: "note",
    effect: "commands that make something start Deno, which takes 15 ms more each",
  } as const;
  const socket = "/run/runts/.brain/socket";
  const unix = `Num Path\n1: 2 0 10000 5 1 7 ${socket}\n2: 2 0 10000 5 1 8 /x`;
  assertEquals(finding(hostWith({}, { "/proc/self/net/unix": unix }), "tools", "warm brain"), {
    condition: "works",
    found: `listens at ${socket}`,
  });
  assertEquals(finding(hostWith({}), "tools", "warm brain"), {
    ...slower,
    found: `nobody listens at ${socket}`,
    remedy: 'enable runts.socket of the package, or keep "runts serve" running',
  });
  assertEquals(finding(hostWith({ brain: undefined }), "tools", "warm brain"), {
    ...slower,
    found: "RUNTS_BRAIN is empty",
  });
  assertEquals(finding(hostWith({ root: "/srv/runts" }), "tools", "state root"), {
    condition: "note",
    found: "/srv/runts is on ext4",
    effect: "what is left of containers outlasts a boot, and is found stopped then",
  });
});

Deno.test("the text of doctor", () => {
  const findings: Finding[] = [
    { area: "kernel", name: "release", condition: "works", found: "Linux 6.18.0" },
    { area: "tools", name: "front", condition: "note", found: "none", effect: "slower" },
    {
      area: "tools",
      name: "criu",
      condition: "missing",
      found: "no criu in PATH",
      effect: "no checkpoints",
      remedy: "install it",
    },
  ];
  assertEquals(
    doctorText(findings, PLAIN),
    `kernel
  + release  Linux 6.18.0

tools
    front    none
             slower
  - criu     no criu in PATH
             no checkpoints
             remedy: install it

1 of 3 will not work here: tools: criu
`,
  );
  assertEquals(
    doctorText(findings.slice(0, 1), PLAIN),
    "kernel\n  + release  Linux 6.18.0\n\nNothing is missing.\n",
  );
});

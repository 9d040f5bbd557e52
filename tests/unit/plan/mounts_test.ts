import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { MountFlag } from "../../../lib/wire/ops.ts";
import { NAMESPACE_FLAGS } from "../../../lib/base/linux.ts";
import type { CgroupHierarchy, ContainerInput, ContainerPlan } from "../../../lib/plan/plan.ts";
import type { Mount } from "../../../lib/spec/types/config.ts";
import { HOST, linesFrom, names, opsOf, planOf } from "../../support/plan.ts";
import { type Json, withNamespaces } from "../../support/spec.ts";

const MAP = [{ containerID: 0, hostID: 100000, size: 1000 }];

/** A user namespace of the container's own. */
const USER = {
  "linux.namespaces": withNamespaces("user"),
  "linux.uidMappings": MAP,
  "linux.gidMappings": MAP,
};

/** The plan with these mounts alone. */
function withMounts(
  mounts: readonly Mount[],
  changes: Json = {},
  input: Partial<ContainerInput> = {},
): ContainerPlan {
  return planOf({ mounts, ...changes }, input);
}

function lines(mount: Mount, changes: Json = {}, input: Partial<ContainerInput> = {}): string[] {
  return linesFrom(withMounts([mount], changes, input), "mounts[0]");
}

const tmpfs = (options: string[], destination = "/t"): Mount => ({
  destination,
  type: "tmpfs",
  source: "tmpfs",
  options,
});

Deno.test("mounts: the template's in order", () => {
  const { mounts } = { mounts: opsOf(planOf(), "mount").map(({ destination }) => destination) };
  assertEquals(mounts, [
    "/proc",
    "/dev",
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/sys",
    "/sys/fs/cgroup",
  ]);
});

Deno.test("mounts: options become attributes, superblock flags, data and propagation", () => {
  const [mount] = opsOf(
    withMounts([
      tmpfs(["nosuid", "noatime", "sync", "size=1m", "mode=755", "rshared", "rprivate"]),
    ]),
    "mount",
  );
  assertEquals(mount, {
    op: "mount",
    from: "mounts[0]",
    kind: 0,
    source: "tmpfs",
    slot: -1,
    destination: "/t",
    fstype: "tmpfs",
    superblock: ["sync"],
    data: ["size=1m", "mode=755"],
    attr_set: 0x2 | 0x10,
    attr_clear: 0,
    attr_rest: 0,
    rec_set: 0,
    rec_clear: 0,
    propagation: [1 << 20 | 1 << 14, 1 << 18 | 1 << 14],
    create: 1,
    flags: 0,
    keep: -1,
  });
});

Deno.test("mounts: a destination that is relative is taken from the root", () => {
  assertEquals(lines(tmpfs(["mode=700"], "a//b/")), ["mount tmpfs on /a/b (mode=700)"]);
});

Deno.test("mounts: a tmpfs takes the mode of its mount point unless it is given one", () => {
  const flags = (options: string[]) => opsOf(withMounts([tmpfs(options)]), "mount")[0]!.flags;
  assertEquals(flags([]), MountFlag.inheritMode);
  assertEquals(flags(["mode=1777"]), 0);
  assertEquals(flags(["tmpcopyup"]), MountFlag.inheritMode | MountFlag.tmpcopyup);
});

Deno.test("mounts: tmpfs and /dev become read-only after all that is made below them", () => {
  const plan = withMounts([
    tmpfs(["ro", "mode=755"], "/dev"),
    tmpfs(["ro", "mode=755"]),
    { destination: "/sys", type: "sysfs", options: ["ro"] },
  ]);
  assertEquals(linesFrom(plan, "mounts[0]"), [
    "mount tmpfs on /dev (mode=755)",
    "remount /dev (ro)",
  ]);
  assertEquals(linesFrom(plan, "mounts[1]"), ["mount tmpfs on /t (mode=755)", "remount /t (ro)"]);
  assertEquals(linesFrom(plan, "mounts[2]"), ["mount sysfs on /sys (ro)"]);
  const order = names(plan);
  assertEquals(order.lastIndexOf("mount") > order.lastIndexOf("device"), true);
  assertEquals(order.lastIndexOf("mount") < order.indexOf("enter_root"), true);
});

Deno.test("mounts: binds", () => {
  const bind = (source: string, options: string[], type = "none") =>
    lines({ destination: "/x", source, type, options });
  assertEquals(bind("data", ["bind"]), ["bind /bundle/data on /x"]);
  assertEquals(bind("/data", ["rbind", "ro", "dev"]), [
    "bind /data with the mounts below on /x (ro,dev)",
  ]);
  assertEquals(bind("/data", ["rbind", "rro", "rnoatime"]), [
    "bind /data with the mounts below on /x (rro,rnoatime)",
  ]);
  assertEquals(bind("/data", [], "bind"), ["bind /data on /x"]);
  assertEquals(bind("/data", [], "rbind"), ["bind /data with the mounts below on /x"]);
  assertEquals(bind("/data", ["bind", "size=1m"]), ["bind /data on /x"]);
});

Deno.test("mounts: remounting changes the mount, and the superblock unless it says bind", () => {
  const remount = (options: string[]) => lines({ destination: "/x", options, type: "none" });
  assertEquals(remount(["remount", "bind", "ro", "sync"]), ["remount /x (ro)"]);
  assertEquals(remount(["remount", "rw", "sync", "size=2m"]), ["remount /x (rw,sync,size=2m)"]);
});

Deno.test("mounts: sources are opened beforehand for a user namespace, unless in the root", () => {
  const plan = withMounts([
    { destination: "/a", source: "/data", options: ["rbind"] },
    { destination: "/b", source: "rootfs/inner", options: ["bind"] },
    { destination: "/c", source: "/link", options: ["bind", "copy-symlink"] },
    { destination: "/d", source: "/link", options: ["bind", "src-nofollow"] },
  ], USER);
  assertEquals(
    opsOf(plan, "open_tree").map(({ source, recursive, nofollow, idmap }) => [
      source,
      recursive,
      nofollow,
      idmap,
    ]),
    [["/data", 1, 0, -1], ["/link", 0, 1, -1], ["/bundle/rootfs", 1, 0, -1]],
  );
  assertEquals(opsOf(plan, "mount").map(({ slot }) => slot), [1024, -1, -1, 1025]);
  assertEquals(opsOf(plan, "rootfs")[0]!.slot, 1026);
  assertEquals(names(plan).lastIndexOf("open_tree") < names(plan).indexOf("clone"), true);
  const rootless = withMounts(
    [{ destination: "/a", source: "/data", options: ["rbind"] }],
    USER,
    { host: { ...HOST, euid: 1000 } },
  );
  assertEquals(opsOf(rootless, "open_tree"), []);
});

Deno.test("mounts: locked flags are kept in user namespaces", () => {
  const flags = (changes: Json, input: Partial<ContainerInput> = {}) =>
    opsOf(withMounts([tmpfs(["mode=1"])], changes, input), "mount")[0]!.flags;
  assertEquals(flags({}), 0);
  assertEquals(flags(USER), MountFlag.keepLocked);
  assertEquals(flags({}, { host: { ...HOST, inUserNamespace: true } }), MountFlag.keepLocked);
});

Deno.test("mounts: ids are mapped by the mount's own maps, shared where they are equal", () => {
  const own = [{ containerID: 0, hostID: 5, size: 1 }];
  const plan = withMounts([
    { destination: "/a", source: "/a", options: ["bind"], uidMappings: own, gidMappings: MAP },
    {
      destination: "/b",
      source: "b",
      options: ["rbind", "ridmap"],
      uidMappings: own,
      gidMappings: MAP,
    },
    { destination: "/c", source: "/c", options: ["rbind", "idmap=uids=0-7-2;gids=@0-1-2"] },
    { destination: "/d", source: "/d", options: ["bind", "idmap"] },
  ], USER);
  assertEquals(plan.slots.slice(0, 3), [
    { kind: "idmap-userns", uidMap: own, gidMap: MAP },
    {
      kind: "idmap-userns",
      uidMap: [{ containerID: 0, hostID: 7, size: 2 }],
      gidMap: [{ containerID: 0, hostID: 100001, size: 2 }],
    },
    { kind: "idmap-userns", uidMap: MAP, gidMap: MAP },
  ]);
  assertEquals(
    opsOf(plan, "open_tree").map(({ source, recursive, idmap }) => [source, recursive, idmap]),
    [["/a", 0, 0], ["/bundle/b", 2, 0], ["/c", 1, 1], ["/d", 0, 2], ["/bundle/rootfs", 1, -1]],
  );
});

Deno.test("mounts: idmap by a user namespace that is joined", () => {
  const mount = { destination: "/d", source: "/d", options: ["bind", "idmap"] };
  const joined = withMounts([mount], {
    "linux.namespaces": withNamespaces({ type: "user", path: "/proc/9/ns/user" }),
  });
  assertEquals(opsOf(joined, "open_tree")[0]!.idmap, opsOf(joined, "open_ns")[0]!.slot);
});

Deno.test("mounts: only bind mounts map ids", () => {
  const error = assertThrows(() => withMounts([tmpfs(["idmap"])], USER), RuntsError);
  assertEquals(error.message, 'mounts[0]: mount on "/t": only bind mounts map ids');
});

Deno.test("mounts: an SELinux context, unless there is one or the filesystem takes none", () => {
  const label = { "linux.mountLabel": "system_u:object_r:x_t:s0:c1,c2" };
  const data = (mount: Mount, changes: Json = label) =>
    opsOf(withMounts([mount], changes), "mount")[0]!.data;
  assertEquals(data(tmpfs(["mode=1"])), ["mode=1", "context=system_u:object_r:x_t:s0:c1,c2"]);
  assertEquals(data(tmpfs(['rootcontext="a:b,c"'])), ["rootcontext=a:b,c"]);
  assertEquals(data({ destination: "/proc", type: "proc" }), []);
  assertEquals(
    data(tmpfs([]), { ...label, annotations: { "run.oci.mount_context_type": "fscontext" } }),
    ["fscontext=system_u:object_r:x_t:s0:c1,c2"],
  );
});

Deno.test("mounts: devpts leaves out a group that the user namespace lacks, with a warning", () => {
  const mount = { destination: "/dev/pts", type: "devpts", options: ["newinstance", "gid=5"] };
  assertEquals(opsOf(withMounts([mount], USER), "mount")[0]!.data, ["newinstance", "gid=5"]);
  const one = [{ containerID: 0, hostID: 1000, size: 1 }];
  const plan = withMounts([mount], { ...USER, "linux.gidMappings": one });
  assertEquals(opsOf(plan, "mount")[0]!.data, ["newinstance"]);
  assertEquals(plan.warnings, ["mounts[0]: gid=5 is left out: linux.gidMappings lack it"]);
});

Deno.test("mounts: sysfs is a view of the host's without a network namespace of one's own", () => {
  const mount = { destination: "/sys", type: "sysfs", options: ["nosuid", "ro"] };
  const plain = "mount sysfs on /sys (ro,nosuid)";
  const view = "bind /sys with the mounts below on /sys (rro,rnosuid)";
  const without = withNamespaces("user").filter(({ type }) => type !== "network");
  assertEquals(lines(mount, USER), [plain]);
  const lock = "make all that is mounted on /sys read-only for good";
  assertEquals(lines(mount, { ...USER, "linux.namespaces": without }), [lock, view]);
  const net = { type: "network", path: "/run/netns/a" };
  assertEquals(lines(mount, { ...USER, "linux.namespaces": [...without, net] }), [lock, view]);
  const pod = without.map(({ type }) => type === "user" ? { type, path: "/u" } : { type });
  assertEquals(lines(mount, { "linux.namespaces": [...pod, net] }), [plain]);
  const host = without.filter(({ type }) => type !== "user");
  assertEquals(lines(mount, { "linux.namespaces": host }), [plain]);
  const twice = withMounts([mount, { ...mount, destination: "/s" }], {
    ...USER,
    "linux.namespaces": without,
  });
  assertEquals(opsOf(twice, "lock_readonly").map(({ path }) => path), ["/sys"]);
  const warnings = (options: string[]) =>
    withMounts([{ ...mount, options }], { ...USER, "linux.namespaces": without }).warnings;
  assertEquals(warnings(["rro"]), []);
  assertEquals(warnings(["noatime"]), [
    "mounts[0]: read-only: without a new network namespace /sys is the host's",
  ]);
});

const LEGACY: CgroupHierarchy[] = [
  {
    mountPoint: "/sys/fs/cgroup/cpu,cpuacct",
    controllers: ["cpu", "cpuacct"],
    directory: "/sys/fs/cgroup/cpu,cpuacct/box",
  },
  {
    mountPoint: "/sys/fs/cgroup/systemd",
    controllers: ["name=systemd"],
    directory: "/sys/fs/cgroup/systemd/box",
  },
];
const UNIFIED = {
  mountPoint: "/sys/fs/cgroup/unified",
  controllers: [],
  directory: "/sys/fs/cgroup/unified/box",
};
const CGROUP = {
  destination: "/sys/fs/cgroup",
  type: "cgroup",
  source: "cgroup",
  options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
};

function cgroupLines(
  hierarchies: readonly CgroupHierarchy[],
  namespaces: Json[] = withNamespaces(),
  mount: Mount = CGROUP,
): string[] {
  const host = { ...HOST, cgroups: () => hierarchies };
  return lines(mount, { ...USER, "linux.namespaces": namespaces }, { host });
}

Deno.test("mounts: cgroup on version 2", () => {
  const one = [{ mountPoint: "/sys/fs/cgroup", controllers: [], directory: "/sys/fs/cgroup/box" }];
  const attributes = "(ro,nosuid,nodev,noexec";
  const whole = "(rro,rnosuid,rnodev,rnoexec";
  assertEquals(cgroupLines(one, withNamespaces("user", "cgroup")), [
    `mount cgroup2 on /sys/fs/cgroup ${attributes})`,
  ]);
  const bind = `bind /sys/fs/cgroup with the mounts below on /sys/fs/cgroup ${whole})`;
  assertEquals(cgroupLines(one, withNamespaces("user")), [bind]);
  const joined = { type: "cgroup", path: "/proc/9/ns/cgroup" };
  assertEquals(cgroupLines(one, withNamespaces("user", joined)), [bind]);
});

Deno.test("mounts: cgroup on version 1, and hybrid", () => {
  const attributes = "(ro,nosuid,nodev,noexec";
  const whole = "(rro,rnosuid,rnodev,rnoexec";
  assertEquals(cgroupLines([...LEGACY, UNIFIED], withNamespaces("user", "cgroup")), [
    "mount tmpfs on /sys/fs/cgroup (nosuid,nodev,noexec,mode=755)",
    `mount cgroup on /sys/fs/cgroup/cpu,cpuacct ${attributes},cpu,cpuacct)`,
    "link /sys/fs/cgroup/cpu to cpu,cpuacct",
    "link /sys/fs/cgroup/cpuacct to cpu,cpuacct",
    `mount cgroup on /sys/fs/cgroup/systemd ${attributes},name=systemd)`,
    `mount cgroup2 on /sys/fs/cgroup/unified ${attributes})`,
    "remount /sys/fs/cgroup (ro)",
  ]);
  assertEquals(cgroupLines([...LEGACY, UNIFIED], withNamespaces("user")), [
    "mount tmpfs on /sys/fs/cgroup (nosuid,nodev,noexec,mode=755)",
    "bind /sys/fs/cgroup/cpu,cpuacct/box with the mounts below on /sys/fs/cgroup/cpu,cpuacct " +
    `${whole})`,
    "link /sys/fs/cgroup/cpu to cpu,cpuacct",
    "link /sys/fs/cgroup/cpuacct to cpu,cpuacct",
    "bind /sys/fs/cgroup/systemd/box with the mounts below on /sys/fs/cgroup/systemd " +
    `${whole})`,
    `bind /sys/fs/cgroup/unified/box on /sys/fs/cgroup/unified ${whole})`,
    "remount /sys/fs/cgroup (ro)",
  ]);
});

Deno.test("mounts: cgroup2 on a hybrid host, and where there is none", () => {
  const mount = { ...CGROUP, type: "cgroup2", options: [] };
  assertEquals(cgroupLines([...LEGACY, UNIFIED], withNamespaces("user", "cgroup"), mount), [
    "mount cgroup2 on /sys/fs/cgroup",
  ]);
  const error = assertThrows(
    () => cgroupLines(LEGACY, withNamespaces("user"), mount),
    RuntsError,
  );
  assertEquals(
    error.message,
    "mounts[0]: mount cgroup2: the host has no hierarchy of version 2",
  );
});

Deno.test("mounts: a device of the configuration takes the place of a default one", () => {
  const plan = planOf({
    "linux.devices": [
      { type: "c", path: "/dev/null", major: 1, minor: 3, fileMode: 0o20600, uid: 1, gid: 2 },
      { type: "b", path: "/dev/sda", major: 8, minor: 0 },
      { type: "u", path: "/dev/u", major: 1, minor: 1 },
      { type: "p", path: "/run/fifo" },
    ],
  });
  assertEquals(opsOf(plan, "device").map(({ path }) => path), [
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/null",
    "/dev/sda",
    "/dev/u",
    "/run/fifo",
  ]);
  assertEquals(["0", "1", "2", "3"].flatMap((n) => linesFrom(plan, `linux.devices[${n}]`)), [
    "make device 1:3 /dev/null (0600, owner 1:2)",
    "make block device 8:0 /dev/sda (0666)",
    "make device 1:1 /dev/u (0666)",
    "make fifo /run/fifo (0666)",
  ]);
  assertEquals(opsOf(plan, "device").map(({ bind }) => bind), [2, 2, 2, 2, 2, 2, 2, 2, 0]);
});

Deno.test("mounts: device nodes in a user namespace are the host's", () => {
  const [first] = opsOf(planOf(USER), "device");
  assertEquals([first!.path, first!.bind, first!.source], ["/dev/null", 1, "/dev/null"]);
});

Deno.test("mounts: a /dev that is bound brings its own nodes and links", () => {
  const plan = withMounts([{ destination: "/dev/", source: "/dev", options: ["rbind"] }]);
  assertEquals([opsOf(plan, "device"), opsOf(plan, "symlink")], [[], []]);
});

Deno.test("NAMESPACE_FLAGS are distinct bits", () => {
  const flags = Object.values(NAMESPACE_FLAGS);
  assertEquals(flags.reduce((all: number, flag) => all ^ flag, 0), 0x7e020080);
});

/** Plans of system containers, and of programs that are in no container. */

import { assertEquals } from "@std/assert";
import { describeOp } from "../../../lib/plan/describe.ts";
import type { RootMount, SystemInput } from "../../../lib/plan/system.ts";
import type { Linux } from "../../../lib/spec/types/config.ts";
import { planUnshare } from "../../../lib/plan/unshare.ts";
import { HOST, linesFrom, names, opsOf, planExecOf, planOf } from "../../support/plan.ts";

const SYSTEM: SystemInput = {
  populateDev: true,
  consolePaths: [],
  terminals: [],
  writable: [],
  reaper: false,
  parentDeath: 0,
  mounts: {},
  hooks: {},
};

const ROOT = "beyond.rootfs";
const MAPPED = {
  hostname: undefined,
  "linux.namespaces": [{ type: "mount" }, { type: "user" }],
  "linux.uidMappings": [{ containerID: 0, hostID: 1000, size: 10 }],
  "linux.gidMappings": [{ containerID: 0, hostID: 1000, size: 10 }],
};

function rootLines(root: Omit<RootMount, "from">, changes = {}): string[] {
  return linesFrom(planOf(changes, { system: { ...SYSTEM, root: { from: ROOT, ...root } } }), ROOT);
}

Deno.test("a root filesystem is mounted, bound, or gets options where it is", () => {
  const layers = ["lowerdir=/a", "upperdir=/b", "workdir=/w"];
  assertEquals(rootLines({ type: "overlay", source: "/a", options: [...layers, "ro", "nodev"] }), [
    `mount overlay /a on / (nodev,${layers.join(",")})`,
  ]);
  assertEquals(rootLines({ source: "/srv/root", options: ["nosuid"] }), [
    "bind /srv/root with the mounts below on / (nosuid)",
  ]);
  assertEquals(rootLines({ options: ["nosuid", "ro"] }), ["remount / (nosuid)"]);
});

Deno.test("what a hook mounts before there is a root does not reach the host", () => {
  const hook = { from: "lxc.hook.pre-mount", args: ["/hook"], env: [] };
  const plan = planOf({}, { system: { ...SYSTEM, hooks: { "pre-mount": [hook] } } });
  const order = names(plan).filter((name) => ["propagation", "hook", "rootfs"].includes(name));
  assertEquals(order, ["propagation", "hook", "rootfs"]);
});

Deno.test("ids of a root filesystem are mapped on the host, before a user namespace is entered", () => {
  assertEquals(rootLines({ options: [], idmap: "container" }, MAPPED), [
    "open bind source /bundle/rootfs with the mounts below, ids mapped",
    "bind /bundle/rootfs with the mounts below on /",
  ]);
  assertEquals(rootLines({ options: [], idmap: "/proc/7/ns/user" }), [
    "open user namespace /proc/7/ns/user",
    "open bind source /bundle/rootfs with the mounts below, ids mapped",
    "bind /bundle/rootfs with the mounts below on /",
  ]);
});

Deno.test("ids of a mount are mapped as its rule has it", () => {
  const system = {
    ...SYSTEM,
    mounts: { "mounts[0]": { existing: false, optional: false, idmap: "/proc/7/ns/user" } },
  };
  const changes = { mounts: [{ destination: "/srv", source: "/a", options: ["bind"] }] };
  assertEquals(linesFrom(planOf(changes, { system }), "mounts[0]"), [
    "open user namespace /proc/7/ns/user",
    "open bind source /a, ids mapped",
    "bind /a on /srv",
  ]);
});

Deno.test("exec outside of the mount namespace can have views of its own", () => {
  const plan = planExecOf({}, 0, { remounts: true });
  assertEquals(opsOf(plan, "mount").map(describeOp), [
    "mount proc on /proc (nosuid,nodev,noexec)",
    "mount sysfs on /sys (nosuid,nodev,noexec)",
  ]);
  assertEquals(opsOf(planExecOf({}, 0), "mount"), []);
});

Deno.test("a boot id is written when there is a /dev, and shown in the root that was entered", () => {
  const plan = planOf({}, { system: { ...SYSTEM, bootId: "1-2" } });
  assertEquals(opsOf(plan, "make_file").map(({ text }) => text), ["1-2\n"]);
  assertEquals(linesFrom(plan, "beyond.dev.bootId"), [
    "make file /dev/.lxc-boot-id (0444)",
    "bind /dev/.lxc-boot-id on /proc/sys/kernel/random/boot_id (ro,nosuid,nodev,noexec)",
  ]);
  const order = names(plan);
  assertEquals(order.indexOf("make_file") < order.indexOf("enter_root"), true);
  assertEquals(order.lastIndexOf("mount") > order.indexOf("enter_root"), true);
});

Deno.test("contexts of SELinux: the program's, and the keyring's where that has one of its own", () => {
  const labels = (system: Partial<SystemInput>, changes = {}) =>
    opsOf(planOf(changes, { system: { ...SYSTEM, ...system } }), "label")
      .map(({ from, attr, label }) => [from, attr, label]);
  const program = { "process.selinuxLabel": "u:r:program:s0" };
  const exec = ["process.selinuxLabel", "exec", "u:r:program:s0"];
  assertEquals(labels({}, program), [
    ["process.selinuxLabel", "keycreate", "u:r:program:s0"],
    exec,
  ]);
  const keyring = ["beyond.security.keyringContext", "keycreate", "u:r:keyring:s0"];
  assertEquals(labels({ keyringContext: "u:r:keyring:s0" }, program), [keyring, exec]);
  assertEquals(labels({ keyringContext: "u:r:keyring:s0" }), [keyring]);
});

function unshared(
  linux: Linux,
  { hostname, remounts = false }: { hostname?: string; remounts?: boolean } = {},
) {
  const process = { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } };
  const root = { path: "/" };
  return planUnshare({
    id: "",
    spec: { ociVersion: "1.2.0", root, process, linux, ...(hostname && { hostname }) },
    bundle: "/",
    host: HOST,
    cgroup: { files: [], moved: false },
    console: false,
    preserveFds: 0,
    noPivot: false,
    noNewKeyring: true,
  }, remounts);
}

Deno.test("a program in new namespaces has nothing else of a container", () => {
  const linux: Linux = { namespaces: [{ type: "uts" }, { type: "network" }] };
  const plan = unshared(linux, { hostname: "other" });
  assertEquals(names(plan), [
    ...["clone", "close_fds", "sync", "hostname", "stdio_owner"] as const,
    ...["bounding", "set_ids", "chdir", "caps", "find_program", "sync", "exec"] as const,
  ]);
  assertEquals(plan.slots, []);
});

Deno.test("what belongs to the namespaces is mounted anew where that is asked for", () => {
  const linux: Linux = { namespaces: [{ type: "mount" }, { type: "pid" }] };
  assertEquals(opsOf(unshared(linux, { remounts: true }), "mount").map(describeOp), [
    "mount proc on /proc (nosuid,nodev,noexec)",
    "mount tmpfs on /dev/shm (nosuid,nodev,noexec)",
    "mount mqueue on /dev/mqueue (nosuid,nodev,noexec)",
  ]);
  assertEquals(opsOf(unshared(linux), "mount"), []);
  assertEquals(opsOf(unshared(linux), "propagation").length, 1);
});

import { assertEquals } from "@std/assert";
import { NAMESPACE_FLAGS } from "../../../lib/base/linux.ts";
import { describeOp } from "../../../lib/plan/describe.ts";
import type { Plan } from "../../../lib/plan/plan.ts";
import {
  asksForMaps,
  HOST,
  linesFrom,
  names,
  onlyOp,
  opsOf,
  planExecOf,
  planOf,
} from "../../support/plan.ts";
import { type Json, withNamespaces } from "../../support/spec.ts";

const MAP = [{ containerID: 0, hostID: 100000, size: 1000 }];
const MAPS = { "linux.uidMappings": MAP, "linux.gidMappings": MAP };
const { user, mount, network, pid } = NAMESPACE_FLAGS;

/** All operations up to the first that follows the namespaces, in words. */
function entering(plan: Plan): string[] {
  const end = plan.ops.findIndex(({ op }) => op === "close_fds");
  return plan.ops.slice(0, end).filter(({ op }) => op !== "rlimit").map(describeOp);
}

Deno.test("namespaces: new ones are made by the clone, the cgroup namespace after the cgroup", () => {
  const plan = planOf({ "linux.namespaces": withNamespaces("cgroup") }, {
    cgroup: { files: ["/cg/tasks"], moved: false },
  });
  assertEquals(entering(plan), [
    "clone the container's process with new mount, uts, ipc, pid, network namespaces",
    "join the cgroup",
    "make a new cgroup namespace",
  ]);
});

Deno.test("namespaces: given ones are opened before any is joined, the mount namespace last", () => {
  const plan = planOf({
    "linux.namespaces": [
      { type: "mount", path: "/ns/mnt" },
      { type: "network", path: "/ns/net" },
      { type: "pid", path: "/ns/pid" },
      { type: "ipc" },
    ],
    hostname: undefined,
  });
  assertEquals(entering(plan), [
    "open mount namespace /ns/mnt",
    "open network namespace /ns/net",
    "open pid namespace /ns/pid",
    "join network namespace",
    "join pid namespace",
    "join mount namespace",
    "hide the process",
    "clone the container's process with new ipc namespace",
  ]);
  assertEquals(linesFrom(plan, "linux.namespaces[1].path"), [
    "open network namespace /ns/net",
    "join network namespace",
  ]);
  assertEquals(opsOf(plan, "loopback_up"), []);
});

Deno.test("namespaces: a new user namespace", () => {
  const plan = planOf({ "linux.namespaces": withNamespaces("user"), ...MAPS });
  assertEquals(asksForMaps(plan), true);
  assertEquals(onlyOp(plan, "clone").flags & user, user);
  assertEquals(names(plan).slice(names(plan).indexOf("clone"), -1).slice(0, 5), [
    "clone",
    "sync",
    "close_fds",
    "set_ids",
    "setsid",
  ]);
  assertEquals(opsOf(plan, "set_ids").map(describeOp), [
    "become user 0, group 0",
    "become user 0, group 0",
  ]);
});

Deno.test("namespaces: root joins a user namespace between two attempts at the others", () => {
  const namespaces = [
    { type: "user", path: "/ns/user" },
    { type: "network", path: "/ns/net" },
    { type: "mount" },
  ];
  const changes = {
    "linux.namespaces": namespaces,
    hostname: undefined,
    "process.rlimits": [],
  };
  const cgroup = { bornIn: "/cg/box", files: [], moved: false };
  const plan = planOf(changes, { cgroup });
  assertEquals(entering(plan).filter((line) => !line.startsWith("make device ")), [
    "open user namespace /ns/user",
    "open network namespace /ns/net",
    "leave out mounts that hold a mount namespace",
    "open bind source /bundle/rootfs with the mounts below",
    "join network namespace if that is permitted yet",
    "join user namespace",
    "join network namespace",
    "clone the container's process with new mount namespace",
    "join the cgroup",
  ]);
  assertEquals(plan.slots[0], { kind: "cgroup-file", path: "/cg/box/cgroup.procs" });
  assertEquals(asksForMaps(plan), false);
  const rootless = planOf(changes, { host: { ...HOST, euid: 1000 } });
  assertEquals(entering(rootless).slice(2), [
    "join user namespace",
    "join network namespace",
    "clone the container's process with new mount namespace",
  ]);
});

Deno.test("namespaces: time offsets are written before a process enters the namespace", () => {
  const changes = {
    "linux.namespaces": withNamespaces("time"),
    "linux.timeOffsets": { monotonic: { secs: 7 }, boottime: { secs: -2, nanosecs: 5 } },
  };
  const plan = planOf(changes);
  assertEquals(opsOf(plan, "clone").length, 1);
  assertEquals(entering(plan), [
    "make a new time namespace",
    'write "monotonic 7 0\\nboottime -2 5\\n" to /proc/self/timens_offsets',
    "clone the container's process with new mount, uts, ipc, pid, network namespaces",
  ]);
  const without = planOf({ "linux.namespaces": withNamespaces("time") });
  assertEquals(opsOf(without, "write_file"), []);
});

Deno.test("namespaces: new user and time namespaces take two clones", () => {
  const plan = planOf({
    "linux.namespaces": withNamespaces("time", "user", "cgroup"),
    "linux.timeOffsets": { boottime: { secs: 9 } },
    ...MAPS,
  }, { cgroup: { bornIn: "/cg/box", files: ["/cg1/tasks"], moved: true } });
  assertEquals([opsOf(plan, "clone").length, asksForMaps(plan)], [2, true]);
  const steps = entering(plan).filter((line) => !line.startsWith("make device "));
  assertEquals(steps.slice(2), [
    "clone the container's process with new user namespace in its cgroup",
    "let runts move the process into its cgroup",
    "join the cgroup",
    "let runts write the id maps",
    "make a new time namespace",
    'write "boottime 9 0\\n" to /proc/self/timens_offsets',
    "clone the container's process with new mount, uts, ipc, pid, network namespaces",
    "make a new cgroup namespace",
  ]);
});

Deno.test("namespaces: limits are raised on the host, and lowered by the last steps", () => {
  const rlimits = [
    { type: "RLIMIT_NOFILE", soft: 10, hard: 1048576 },
    { type: "RLIMIT_NPROC", soft: 10, hard: 20 },
    { type: "RLIMIT_AS", soft: 1, hard: 1 << 30 },
    { type: "RLIMIT_CORE", soft: 0, hard: 0 },
  ];
  const changes = { "process.rlimits": rlimits };
  const plan = planOf({ ...changes, "linux.namespaces": withNamespaces("user"), ...MAPS });
  assertEquals(plan.ops.slice(0, 4).map(describeOp), [
    "raise RLIMIT_NOFILE to 1048576 if it is lower",
    "raise RLIMIT_NPROC to 20 if it is lower",
    "raise RLIMIT_AS to 1073741824 if it is lower",
    "raise RLIMIT_CORE to 0 if it is lower",
  ]);
  assertEquals(linesFrom(plan, "process.rlimits[0]"), [
    "raise RLIMIT_NOFILE to 1048576 if it is lower",
    "set RLIMIT_NOFILE to 10, at most 1048576",
  ]);
  const raising = (plan: Plan) => opsOf(plan, "rlimit").map(({ raise }) => raise);
  assertEquals(raising(plan), [2, 2, 2, 2, 0, 0, 0, 0]);
  assertEquals(raising(planOf(changes)), [1, 1, 1, 1, 0, 0, 0, 0]);
  assertEquals(raising(planExecOf(changes, mount | user)), [1, 1, 1, 1, 0, 0, 0, 0]);
});

Deno.test("planExec joins all namespaces at once where there is no user namespace", () => {
  const plan = planExecOf({}, mount | network | pid);
  assertEquals(plan.slots, [{ kind: "pidfd" }]);
  assertEquals(names(plan), [
    "dumpable",
    "rlimit",
    "setns",
    "clone",
    "close_fds",
    "setsid",
    "keyring",
    "streams",
    "stdio_owner",
    "no_new_privs",
    "bounding",
    "set_ids",
    "chdir",
    "caps",
    "find_program",
    "rlimit",
    "sync",
    "exec",
  ]);
  assertEquals(describeOp(plan.ops[2]!), "join mount, pid, network namespaces");
  assertEquals(opsOf(planExecOf({}, 0), "setns"), []);
});

Deno.test("planExec joins the cgroup namespace once it is in the cgroup", () => {
  const cgroup = { bornIn: "/cg/box", files: ["/cg1/tasks"], moved: false };
  const steps = (kinds: number) =>
    planExecOf({}, kinds, { cgroup }).ops
      .filter(({ op }) => ["setns", "clone", "join_cgroup"].includes(op)).map(describeOp);
  assertEquals(steps(NAMESPACE_FLAGS.cgroup | mount), [
    "join mount namespace",
    "clone the container's process in its cgroup",
    "join the cgroup",
    "join cgroup namespace",
  ]);
  assertEquals(steps(NAMESPACE_FLAGS.cgroup).at(0), "clone the container's process in its cgroup");
  assertEquals(steps(NAMESPACE_FLAGS.cgroup | user), [
    "join cgroup namespace if that is permitted yet",
    "join user namespace",
    "clone the container's process",
    "join the cgroup",
    "join the cgroup",
    "join cgroup namespace",
  ]);
});

Deno.test("planExec joins a user namespace between two attempts at the others", () => {
  const joins = (host = HOST) =>
    opsOf(planExecOf({}, user | mount | network, { host }), "setns").map(describeOp);
  assertEquals(joins(), [
    "join network namespace if that is permitted yet",
    "join mount namespace if that is permitted yet",
    "join user namespace",
    "join network namespace",
    "join mount namespace",
  ]);
  assertEquals(joins({ ...HOST, euid: 1000 }), [
    "join user namespace",
    "join network namespace",
    "join mount namespace",
  ]);
});

Deno.test("planExec enters the cgroup, by birth or by its files", () => {
  const cgroup = { bornIn: "/cg/box", files: ["/cg1/tasks"], moved: false };
  const born = planExecOf({}, mount, { cgroup });
  assertEquals(born.slots.slice(1), [
    { kind: "cgroup-dir", path: "/cg/box" },
    { kind: "cgroup-file", path: "/cg1/tasks" },
  ]);
  assertEquals(onlyOp(born, "clone").cgroup, 1);
  const inUser = planExecOf({}, mount | user, { cgroup });
  assertEquals(onlyOp(inUser, "clone").cgroup, -1);
  assertEquals(inUser.slots.slice(1), [
    { kind: "cgroup-file", path: "/cg1/tasks" },
    { kind: "cgroup-file", path: "/cg/box/cgroup.procs" },
  ]);
  const moved = planExecOf({}, 0, { cgroup: { files: [], moved: true } });
  assertEquals(opsOf(moved, "sync").map(({ message }) => message), [2, 6]);
});

Deno.test("planExec: CPU affinity before and after the cgroup is joined", () => {
  const cgroup = { files: ["/cg1/tasks"], moved: false };
  const affinity = (execCPUAffinity?: Json) =>
    planExecOf({ "process.execCPUAffinity": execCPUAffinity }, 0, { cgroup }).ops
      .filter(({ op }) => ["affinity", "join_cgroup"].includes(op)).map(describeOp);
  assertEquals(affinity(), ["join the cgroup", "use every CPU of the cgroup"]);
  assertEquals(affinity({ initial: "0-1,8", final: " 3 " }), [
    "use CPUs 0-1,8",
    "join the cgroup",
    "use CPUs 3",
  ]);
  assertEquals(affinity({ initial: "0" }), ["use CPUs 0", "join the cgroup"]);
});

Deno.test("planExec in a container without a mount namespace changes its root", () => {
  const plan = planExecOf({}, pid, { root: "/bundle/rootfs" });
  assertEquals(linesFrom(plan, "root.path"), [
    "open root filesystem /bundle/rootfs",
    "enter the root filesystem (chroot)",
  ]);
});

Deno.test("planExec: terminal, descriptors and what only create does", () => {
  const plan = planExecOf({ "process.terminal": true, "process.cwd": "/srv" }, 0, {
    console: true,
    noNewKeyring: true,
    preserveFds: 2,
  });
  assertEquals([onlyOp(plan, "console").mount, onlyOp(plan, "console").slot], [0, 1]);
  assertEquals(onlyOp(plan, "chdir").create, 0);
  assertEquals(onlyOp(plan, "close_fds").keep, 2);
  assertEquals(opsOf(plan, "keyring"), []);
  assertEquals(opsOf(plan, "wait_start"), []);
});

Deno.test("planExec: oom score of the process, or else of the container's", () => {
  const score = (process: number | undefined) => {
    const spec = { "process.oomScoreAdj": 5 };
    const { process: own } = { process: { args: ["a"], cwd: "/", user: { uid: 0, gid: 0 } } };
    const given = process === undefined ? own : { ...own, oomScoreAdj: process };
    return onlyOp(planExecOf(spec, 0, { process: given }), "write_file").data;
  };
  assertEquals([score(undefined), score(7)], ["5", "7"]);
});

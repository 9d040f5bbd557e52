import { assert, assertEquals } from "@std/assert";
import { describeOp } from "../../lib/plan/describe.ts";
import { explainOps, explainPlan } from "../../lib/plan/explain.ts";
import type { Op } from "../../lib/plan/ops.ts";
import type { Plan } from "../../lib/plan/types.ts";
import { planOf } from "./plan_support.ts";

const PLAN: Plan = {
  ops: [
    { op: "write_file", from: "process.oomScoreAdj", path: "/proc/x", data: "5", magic: 1 },
    { op: "clone", from: "linux.namespaces", flags: 0x20000, cgroup: 0 },
    { op: "setsid", from: "" },
    { op: "rootfs", from: "root.path", path: "/b/rootfs", bind: 1, slot: -1 },
    { op: "umask", from: "process.user.umask", mask: 0o22 },
    { op: "caps", from: "", effective: 1n << 63n, permitted: 0, inheritable: 0, ambient: 0 },
    { op: "affinity", from: "", mask: new Uint8Array([0xff, 1]) },
    { op: "wait_start", from: "", fifo: 1, result: 2 },
  ],
  slots: [
    { kind: "cgroup-dir", path: "/sys/fs/cgroup/a" },
    { kind: "fifo" },
    { kind: "result" },
    { kind: "console" },
    { kind: "pidfd" },
    { kind: "cgroup-file", path: "/cg/tasks" },
    {
      kind: "idmap-userns",
      uidMap: [{ containerID: 0, hostID: 5, size: 1 }],
      gidMap: [{ containerID: 0, hostID: 6, size: 1 }, { containerID: 1, hostID: 9, size: 2 }],
    },
  ],
  warnings: ["something is ignored"],
};

Deno.test("explainPlan: operations by stage, slots and warnings", () => {
  assertEquals(
    explainPlan(PLAN),
    `host
  0  process.oomScoreAdj  write "5" to /proc/x

namespaces
  1  linux.namespaces     clone the container's process with new mount namespace in its cgroup
  2                       start a session

root filesystem
  3  root.path            open root filesystem /b/rootfs, bound to itself

process
  4  process.user.umask   set umask 0022
  5                       set capabilities effective: 63
  6                       use CPUs 0-8

start
  7                       wait for the start

descriptors that init is given
  0  cgroup /sys/fs/cgroup/a
  1  exec.fifo, for the start
  2  result.fifo, for what fails after it
  3  socket for the terminal
  4  pidfd of the container's init
  5  /cg/tasks
  6  user namespace with uid map 0:5:1, gid map 0:6:1,1:9:2

warnings
  something is ignored
`,
  );
});

Deno.test("explainPlan breaks lines at the width and colours headings", () => {
  const [, clone] = PLAN.ops;
  const plan = { ops: [clone!], slots: [], warnings: [] };
  assertEquals(
    explainPlan(plan, { width: 60 }),
    `namespaces
  0  linux.namespaces  clone the container's process with
                       new mount namespace in its cgroup
`,
  );
  assertEquals(
    explainPlan({ ...plan, ops: [PLAN.ops[2]!] }, { color: true }),
    "\x1b[1mhost\x1b[0m\n\x1b[2m  0\x1b[0m  \x1b[36m\x1b[0m  start a session\n",
  );
});

Deno.test("explainOps gives what JSON can hold", () => {
  const explained = explainOps(PLAN.ops);
  assertEquals(JSON.parse(JSON.stringify(explained)), explained);
  assertEquals(explained[0], {
    index: 0,
    stage: "host",
    from: "process.oomScoreAdj",
    op: "write_file",
    text: 'write "5" to /proc/x',
    fields: { path: "/proc/x", data: "5", magic: 1 },
  });
  assertEquals(explained[5]!.fields, {
    effective: "9223372036854775808",
    permitted: 0,
    inheritable: 0,
    ambient: 0,
  });
  assertEquals(explained[6]!.fields, { mask: "ff01" });
  assertEquals("from" in explained[7]!, false);
});

Deno.test("every operation of the template has one line", () => {
  for (const op of planOf().ops) {
    const line = describeOp(op);
    assert(line !== "" && !line.includes("\n"), `${op.op}: ${line}`);
  }
});

Deno.test("describeOp names numbers", () => {
  const lines: [Op, string][] = [
    [{ op: "unshare", from: "", flags: 0x12000080 }, "make a new time, cgroup, user namespaces"],
    [{ op: "clone", from: "", flags: 0, cgroup: -1 }, "clone the container's process"],
    [
      { op: "clone", from: "", flags: 0x400, cgroup: -1 },
      "clone the container's process with new 0x400 namespace",
    ],
    [
      { op: "propagation", from: "", path: "/", flags: 1 << 18 | 1 << 14 },
      "make the mount / rprivate",
    ],
    [{ op: "ioprio", from: "", value: 2 << 13 | 4 }, "set I/O priority 4 of IOPRIO_CLASS_BE"],
    [
      { op: "rlimit", from: "", resource: 8, soft: 1, hard: 0xffffffffffffffffn },
      "set RLIMIT_MEMLOCK to 1, at most unlimited",
    ],
    [
      { op: "bounding", from: "", mask: (1n << 41n) - 1n },
      "limit capabilities to all",
    ],
    [
      { op: "caps", from: "", effective: 0, permitted: 0, inheritable: 0, ambient: 0 },
      "drop all capabilities",
    ],
    [
      { op: "caps", from: "", effective: 1n, permitted: 3n, inheritable: 1n, ambient: 0 },
      "set capabilities effective, inheritable: CHOWN; permitted: CHOWN,DAC_OVERRIDE",
    ],
    [
      { op: "seccomp", from: "", flags: 0, filter: new Uint8Array(80), notify: 1 },
      "load a seccomp filter of 10 instructions, with listener",
    ],
    [
      { op: "set_ids", from: "", uid: 1, gid: 2, groups: [3, 4], groups_mode: 0 },
      "become user 1, group 2, groups 3,4",
    ],
    [
      { op: "set_ids", from: "", uid: 1, gid: 2, groups: [], groups_mode: 1 },
      "become user 1, group 2, other groups as they are",
    ],
    [{ op: "close_fds", from: "", keep: 2 }, "keep descriptors 0 to 4 open alone"],
    [{ op: "enter_root", from: "", method: 1 }, "move the root filesystem over the root (chroot)"],
    [{ op: "personality", from: "", domain: 8 }, "set personality LINUX32"],
    [{ op: "sync", from: "", message: 99 }, "send message 99"],
  ];
  for (const [op, line] of lines) assertEquals(describeOp(op), line);
});

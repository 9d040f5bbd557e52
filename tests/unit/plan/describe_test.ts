import { assert, assertEquals } from "@std/assert";
import { describeOp } from "../../../lib/plan/describe.ts";
import type { Op } from "../../../lib/wire/ops.ts";
import { planOf } from "../../support/plan.ts";

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
      { op: "rlimit", from: "", resource: 8, soft: 1, hard: 0xffffffffffffffffn, raise: 0 },
      "set RLIMIT_MEMLOCK to 1, at most unlimited",
    ],
    [
      { op: "rlimit", from: "", resource: 7, soft: 1, hard: 1024, raise: 1 },
      "raise RLIMIT_NOFILE to 1024 if it is lower",
    ],
    [
      { op: "bounding", from: "", mask: (1n << 41n) - 1n },
      "limit capabilities to all",
    ],
    [
      { op: "caps", from: "", effective: 1n << 63n, permitted: 0, inheritable: 0, ambient: 0 },
      "set capabilities effective: 63",
    ],
    [{ op: "affinity", from: "", mask: new Uint8Array([0xff, 1]) }, "use CPUs 0-8"],
    [{ op: "umask", from: "", mask: 0o22 }, "set umask 0022"],
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

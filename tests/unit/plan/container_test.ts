import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { describeOp } from "../../../lib/plan/describe.ts";
import {
  asksForMaps,
  linesFrom,
  names,
  onlyOp,
  opsOf,
  planOf,
  specOf,
} from "../../support/plan.ts";
import { planContainer } from "../../../lib/plan/container.ts";
import { HOST } from "../../support/plan.ts";

Deno.test("planContainer: the template's operations in order", () => {
  const plan = planOf();
  assertEquals(
    names(plan).filter((name) =>
      !["mount", "device", "symlink", "mask", "readonly"].includes(name)
    ),
    [
      "rlimit",
      "clone",
      "close_fds",
      "setsid",
      "keyring",
      "sync",
      "loopback_up",
      "hostname",
      "propagation",
      "rootfs",
      "readonly_root",
      "enter_root",
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
      "wait_start",
      "exec",
    ],
  );
  assertEquals(plan.slots, [{ kind: "fifo" }, { kind: "result" }]);
  assertEquals([asksForMaps(plan), opsOf(plan, "clone").length], [false, 1]);
  assertEquals(plan.rootfs, "/bundle/rootfs");
  assertEquals(plan.warnings, []);
});

Deno.test("planContainer: init waits for nobody where nobody acts on its namespaces", () => {
  const told = onlyOp(planOf({}, { unattended: true }), "tell");
  assertEquals([told.message, told.from], [4, "linux.namespaces"]);
  assertEquals(describeOp(told), "tell that the namespaces are there");
  assertEquals(opsOf(planOf({}, { unattended: true }), "sync").map(({ message }) => message), [6]);
});

Deno.test("planContainer resolves the root filesystem against the bundle", () => {
  const root = (path: string) => planOf({ "root.path": path }).rootfs;
  assertEquals(root("./rootfs/"), "/bundle/rootfs");
  assertEquals(root("/abs//fs/."), "/abs/fs");
  assertEquals(root("a/../b"), "/bundle/a/../b");
});

Deno.test("planContainer writes the oom score before the clone, and only if there is one", () => {
  assertEquals(names(planOf()).includes("write_file"), false);
  const plan = planOf({ "process.oomScoreAdj": 0 });
  assertEquals(describeOp(plan.ops[0]!), 'write "0" to /proc/self/oom_score_adj');
});

Deno.test("planContainer joins its cgroup first of all, and drops the caller's CPU mask", () => {
  const files = ["/cg/cpu/box/tasks", "/cg/memory/box/tasks"];
  const plan = planOf({}, { cgroup: { files, moved: false } });
  assertEquals(plan.slots.slice(0, 2), files.map((path) => ({ kind: "cgroup-file", path })));
  assertEquals(names(plan).slice(0, 9), [
    "rlimit",
    "clone",
    "join_cgroup",
    "join_cgroup",
    "close_fds",
    "setsid",
    "keyring",
    "affinity",
    "sync",
  ]);
});

Deno.test("planContainer: born in a cgroup of version 2, or moved by the manager", () => {
  const born = planOf({}, { cgroup: { bornIn: "/cg/box", files: [], moved: false } });
  assertEquals(onlyOp(born, "clone").cgroup, 0);
  assertEquals(born.slots[0], { kind: "cgroup-dir", path: "/cg/box" });
  const moved = planOf({}, { cgroup: { files: [], moved: true } });
  assertEquals(onlyOp(moved, "clone").cgroup, -1);
  assertEquals(opsOf(moved, "sync").map(({ message }) => message), [2, 4, 6]);
});

Deno.test("planContainer names, parameters and hooks come while the host's procfs is in view", () => {
  const plan = planOf({
    domainname: "example.org",
    "linux.sysctl": { "net.ipv4.ip_forward": "1", "net/ipv4/conf/eth0.1/forwarding": "0" },
    hooks: {
      createContainer: [{ path: "/bin/hook", args: ["hook", "a"], timeout: 3 }],
      startContainer: [{ path: "/bin/inner" }, { path: "/bin/own", env: [] }],
    },
    "process.env": ["A=1", "HOME=/h"],
  });
  const order = names(plan);
  assertEquals(linesFrom(plan, "domainname"), ['set the domain name to "example.org"']);
  assertEquals(opsOf(plan, "write_file").map(({ path, data, from }) => [from, path, data]), [
    ['linux.sysctl["net.ipv4.ip_forward"]', "/proc/sys/net/ipv4/ip_forward", "1"],
    [
      'linux.sysctl["net/ipv4/conf/eth0.1/forwarding"]',
      "/proc/sys/net/ipv4/conf/eth0.1/forwarding",
      "0",
    ],
  ]);
  assertEquals(order.lastIndexOf("write_file") < order.indexOf("propagation"), true);
  assertEquals(opsOf(plan, "hook"), [
    {
      op: "hook",
      from: "hooks.createContainer[0]",
      kind: "createContainer",
      index: 0,
      path: "/bin/hook",
      args: ["hook", "a"],
      env: [],
      has_env: 0,
      timeout: 3,
      stdout: -1,
      stderr: -1,
      limits: 0,
    },
    {
      op: "hook",
      from: "hooks.startContainer[0]",
      kind: "startContainer",
      index: 0,
      path: "/bin/inner",
      args: ["/bin/inner"],
      env: [],
      has_env: 0,
      timeout: 0,
      stdout: -1,
      stderr: -1,
      limits: 1,
    },
    {
      op: "hook",
      from: "hooks.startContainer[1]",
      kind: "startContainer",
      index: 1,
      path: "/bin/own",
      args: ["/bin/own"],
      env: [],
      has_env: 1,
      timeout: 0,
      stdout: -1,
      stderr: -1,
      limits: 1,
    },
  ]);
  assertEquals(order.indexOf("hook") < order.indexOf("enter_root"), true);
  assertEquals(order.lastIndexOf("hook") > order.indexOf("wait_start"), true);
  const at = order.indexOf("hook_state");
  assertEquals(order.slice(at, at + 3), ["hook_state", "hook", "hook_state"]);
  assertEquals(opsOf(plan, "hook_state").map(({ from, slot }) => [from, plan.slots[slot]]), [
    ["hooks.createContainer", { kind: "hook-state", status: "creating" }],
    ["hooks.startContainer", { kind: "hook-state", status: "created" }],
  ]);
});

Deno.test("planContainer: hooks share the files for their output", () => {
  const [stdout, stderr] = ["run.oci.hooks.stdout", "run.oci.hooks.stderr"] as const;
  const hooks = { createContainer: [{ path: "/a" }], startContainer: [{ path: "/b" }] };
  const outputs = (annotations: Record<string, string>, own: object = hooks) => {
    const plan = planOf({ annotations, hooks: own });
    return opsOf(plan, "hook").map((hook) =>
      [hook.stdout, hook.stderr].map((slot) => slot < 0 ? slot : plan.slots[slot])
    );
  };
  const file = (path: string, name: string) => (
    { kind: "hook-output" as const, path, from: `annotations["${name}"]` }
  );
  const both = [file("/o", stdout), file("/e", stderr)];
  assertEquals(outputs({ [stdout]: "/o", [stderr]: "/e" }), [both, both]);
  assertEquals(outputs({ [stderr]: "/e" }), [[-1, both[1]!], [-1, both[1]!]]);
  const { slots } = planOf({
    annotations: { [stdout]: "/o" },
    hooks: { poststop: [{ path: "/a" }] },
  });
  assertEquals(slots.map(({ kind }) => kind), ["fifo", "result"]);
});

Deno.test("planContainer: propagation of the root, before and after it is entered", () => {
  const slave = 1 << 19 | 1 << 14;
  const of = (rootfsPropagation?: string) =>
    opsOf(planOf({ "linux.rootfsPropagation": rootfsPropagation }), "propagation")
      .map(({ flags }) => flags);
  assertEquals(of(), [slave]);
  assertEquals(of("shared"), [1 << 20, 1 << 20]);
  assertEquals(of("rshared"), [1 << 20 | 1 << 14, 1 << 20 | 1 << 14]);
  assertEquals(of("slave"), [slave, 1 << 19]);
  assertEquals(of("private"), [slave, 1 << 18]);
  assertEquals(of("rprivate"), [1 << 18 | 1 << 14, 1 << 18 | 1 << 14]);
  assertEquals(of("unbindable"), [slave, 1 << 17]);
  assertEquals(of("rslave"), [slave, 1 << 19]);
  assertEquals(of("runbindable"), [1 << 18 | 1 << 14, 1 << 17 | 1 << 14]);
  const binds = [undefined, "shared", "rshared", "private", "rslave"].map((value) =>
    onlyOp(planOf({ "linux.rootfsPropagation": value }), "rootfs").bind
  );
  assertEquals(binds, [1, 3, 3, 1, 1]);
});

Deno.test("planContainer enters the root as it is asked to", () => {
  assertEquals(onlyOp(planOf(), "enter_root").method, 0);
  assertEquals(onlyOp(planOf({}, { noPivot: true }), "enter_root").method, 1);
});

Deno.test("planContainer without a mount namespace touches no mount of the host's", () => {
  const changes = {
    "linux.namespaces": [{ type: "pid" }],
    "linux.maskedPaths": undefined,
    "linux.readonlyPaths": undefined,
    hostname: undefined,
    mounts: [],
  };
  const plan = planOf({ ...changes, "root.readonly": false });
  assertEquals(opsOf(plan, "propagation"), []);
  assertEquals([onlyOp(plan, "rootfs").bind, onlyOp(plan, "enter_root").method], [0, 2]);
  assertEquals(opsOf(plan, "device").every(({ bind }) => bind === 0), true);
  assertEquals(onlyOp(planOf(changes), "rootfs").bind, 2);
});

Deno.test("planContainer makes the working directory before the root is read-only", () => {
  const plan = planOf({ "process.cwd": "/srv/app/" });
  assertEquals(linesFrom(plan, "process.cwd"), [
    "make directory /srv/app (0755)",
    "enter directory /srv/app/",
  ]);
  assertEquals(names(plan).indexOf("mkdir") < names(plan).indexOf("readonly_root"), true);
  const writable = planOf({ "process.cwd": "/srv/app", "root.readonly": false });
  assertEquals(opsOf(writable, "mkdir"), []);
  assertEquals(onlyOp(writable, "chdir").create, 1);
});

Deno.test("planContainer masks a path once", () => {
  const plan = planOf({ "linux.maskedPaths": ["/a", "/b", "/a"], "linux.mountLabel": "l" });
  assertEquals(opsOf(plan, "mask").map(({ from, path, label }) => [from, path, label]), [
    ["linux.maskedPaths[0]", "/a", "l"],
    ["linux.maskedPaths[1]", "/b", "l"],
  ]);
});

Deno.test("planContainer: terminal", () => {
  const plan = planOf(
    { "process.terminal": true, "process.consoleSize": { height: 25, width: 80 } },
    { console: true },
  );
  assertEquals(plan.slots[0], { kind: "console" });
  assertEquals(onlyOp(plan, "console"), {
    op: "console",
    from: "process.terminal",
    slot: 0,
    rows: 25,
    cols: 80,
    uid: 0,
    mount: 1,
  });
  const caller = planOf(
    { "process.terminal": true, "process.consoleSize": undefined },
    { console: true, consoleSize: { height: 5, width: 6 } },
  );
  assertEquals([onlyOp(caller, "console").rows, onlyOp(caller, "console").cols], [5, 6]);
  assertEquals(opsOf(planOf({ "process.consoleSize": { height: 1, width: 1 } }), "console"), []);
});

Deno.test("planContainer: keyring", () => {
  assertEquals(onlyOp(planOf(), "keyring").name, "_ses.box");
  assertEquals(opsOf(planOf({}, { noNewKeyring: true }), "keyring"), []);
  const labelled = planOf({ "process.selinuxLabel": "system_u:system_r:svirt_t:s0" });
  assertEquals(opsOf(labelled, "label").map(({ attr }) => attr), ["keycreate", "exec"]);
});

Deno.test("planContainer: the notify socket and descriptors of socket activation", () => {
  const plan = planOf({ "process.env": ["NOTIFY_SOCKET=/x", "LISTEN_PID=9", "HOME=/"] }, {
    notifyDirectory: "/run/state/box/notify",
    listen: { fds: 2, names: "a:b" },
    preserveFds: 3,
  });
  assertEquals(opsOf(plan, "mount").slice(-1).map(describeOp), [
    "bind /run/state/box/notify on /run/notify (ro,nosuid,nodev,noexec)",
  ]);
  assertEquals(onlyOp(plan, "close_fds").keep, 3);
  const exec = onlyOp(plan, "exec");
  assertEquals(exec.self_pid, 1);
  assertEquals(exec.env, [
    "NOTIFY_SOCKET=/run/notify/notify.sock",
    "HOME=/",
    "LISTEN_FDS=2",
    "LISTEN_FDNAMES=a:b",
  ]);
});

Deno.test("planContainer: environment, HOME and the search for the program", () => {
  const of = (env: string[] | undefined, uid = 0) => {
    const plan = planOf({ "process.env": env, "process.user": { uid, gid: 0 } });
    const { home, env: composed } = onlyOp(plan, "exec");
    return { home, env: composed, search: onlyOp(plan, "find_program").search };
  };
  assertEquals(of(["PATH=/a", "B=1", "PATH=/c", "B=", "HOME=/root"]), {
    home: -1,
    env: ["PATH=/c", "B=", "HOME=/root"],
    search: "/c",
  });
  assertEquals(of(["HOME=", "PATH="], 33), { home: 33, env: ["PATH="], search: "" });
  assertEquals(of(undefined), { home: 0, env: [], search: "/bin:/usr/bin" });
  assertEquals(of(["HOME=/a", "HOME="]), { home: 0, env: [], search: "/bin:/usr/bin" });
});

Deno.test("planContainer without a process has nothing to find", () => {
  const { process: _, ...spec } = specOf();
  const plan = planContainer({
    id: "box",
    spec,
    bundle: "/bundle",
    host: HOST,
    cgroup: { files: [], moved: false },
    noPivot: false,
    console: false,
    preserveFds: 0,
    noNewKeyring: true,
  });
  assertEquals(opsOf(plan, "find_program"), []);
  assertEquals(onlyOp(plan, "exec").args, []);
});

Deno.test("planContainer: personality, memory policy, scheduler and I/O priority", () => {
  const plan = planOf({
    "linux.personality": { domain: "LINUX32" },
    "linux.memoryPolicy": {
      mode: "MPOL_WEIGHTED_INTERLEAVE",
      nodes: "0-1, 9",
      flags: ["MPOL_F_STATIC_NODES"],
    },
    "process.scheduler": {
      policy: "SCHED_DEADLINE",
      flags: ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_UTIL_CLAMP_MAX"],
      runtime: 1000000,
      deadline: 2000000,
      period: 3000000,
    },
    "process.ioPriority": { class: "IOPRIO_CLASS_IDLE", priority: 7 },
  });
  assertEquals(onlyOp(plan, "personality").domain, 8);
  assertEquals(onlyOp(plan, "mempolicy").mode, 6 | 1 << 15);
  assertEquals(onlyOp(plan, "mempolicy").nodes, new Uint8Array([0b11, 0b10]));
  const { policy, flags, runtime, deadline, period } = onlyOp(plan, "scheduler");
  assertEquals([policy, flags, runtime, deadline, period], [6, 0x41, 1000000, 2000000, 3000000]);
  assertEquals(onlyOp(plan, "ioprio").value, 3 << 13 | 7);
  assertEquals(linesFrom(plan, "linux.memoryPolicy"), [
    "set memory policy MPOL_WEIGHTED_INTERLEAVE, MPOL_F_STATIC_NODES, nodes 0-1,9",
  ]);
  assertEquals(linesFrom(plan, "process.scheduler"), [
    "schedule by SCHED_DEADLINE, runtime 1000000, deadline 2000000, period 3000000, " +
    "SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_UTIL_CLAMP_MAX",
  ]);
});

Deno.test("planContainer refuses a cgroup mount where there is no cgroup", () => {
  const error = assertThrows(
    () => planOf({}, { host: { ...HOST, cgroups: () => [] } }),
    RuntsError,
  );
  assertEquals(error.message, "mounts[6]: mount cgroup: the host has no cgroup hierarchy");
});

import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import type { ContainerPlan } from "../../../lib/plan/plan.ts";
import { HOST, names, onlyOp, opsOf, planOf } from "../../support/plan.ts";
import { type Json, withNamespaces } from "../../support/spec.ts";

const FILTER = { flags: 2, filter: new Uint8Array(16), notify: false };
const CAPABILITIES = {
  bounding: ["CAP_KILL", "CAP_CHOWN"],
  effective: ["CAP_KILL"],
  permitted: ["CAP_KILL"],
  inheritable: ["CAP_CHOWN"],
  ambient: [],
};
const KILL = 1n << 5n;
const CHOWN = 1n;
const SYS_ADMIN = 1n << 21n;

/** The operations from the user's limits on. */
function tail(plan: ContainerPlan): string[] {
  const all = names(plan);
  return all.slice(all.indexOf("bounding"));
}

Deno.test("identity: another user keeps its capabilities, and enters its directory twice", () => {
  const plan = planOf({
    "process.user": { uid: 33, gid: 44, umask: 0o27, additionalGids: [1, 2] },
    "process.capabilities": CAPABILITIES,
    "process.cwd": "/srv",
  });
  assertEquals(tail(plan), [
    "bounding",
    "chdir",
    "keep_caps",
    "set_ids",
    "chdir",
    "caps",
    "find_program",
    "rlimit",
    "sync",
    "wait_start",
    "exec",
  ]);
  assertEquals(opsOf(plan, "chdir").map(({ tolerate }) => tolerate), [1, 0]);
  const { uid, gid, groups, groups_mode } = onlyOp(plan, "set_ids");
  assertEquals([uid, gid, groups, groups_mode], [33, 44, [1, 2], 0]);
  assertEquals(onlyOp(plan, "umask").mask, 0o27);
  assertEquals(onlyOp(plan, "stdio_owner").uid, 33);
  assertEquals(onlyOp(plan, "bounding").mask, KILL | CHOWN);
});

Deno.test("identity: without a umask the caller's stays", () => {
  assertEquals(opsOf(planOf({ "process.user": { uid: 0, gid: 0 } }), "umask"), []);
});

Deno.test("identity: capabilities, each unknown one with one warning", () => {
  const plan = planOf({
    "process.capabilities": {
      bounding: ["CAP_KILL", "CAP_NONE"],
      permitted: ["kill", "CAP_NONE", "CAP_CHOWN"],
      inheritable: ["CAP_CHOWN"],
      ambient: ["CAP_CHOWN", "CAP_KILL"],
    },
  });
  const { effective, permitted, inheritable, ambient } = onlyOp(plan, "caps");
  assertEquals([effective, permitted, inheritable, ambient], [0n, KILL | CHOWN, CHOWN, CHOWN]);
  assertEquals(plan.warnings, [
    'process.capabilities.permitted: unknown capability "CAP_NONE" is ignored',
    "process.capabilities.permitted: cannot grant CAP_CHOWN: not in the bounding set",
    "process.capabilities.ambient: cannot grant CAP_KILL: not both permitted and inheritable",
  ]);
});

Deno.test("identity: effective capabilities that are not permitted are a warning", () => {
  const plan = planOf({
    "process.capabilities": {
      bounding: ["CAP_KILL", "CAP_CHOWN"],
      permitted: ["CAP_KILL"],
      effective: ["CAP_KILL", "CAP_CHOWN"],
    },
  });
  assertEquals(onlyOp(plan, "caps").effective, KILL);
  assertEquals(plan.warnings, [
    "process.capabilities.effective: cannot grant CAP_CHOWN: not in the permitted set",
  ]);
});

Deno.test("identity: the template of runc 1.1 has ambient capabilities without a warning", () => {
  const caps = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
  const sets = { bounding: caps, effective: caps, permitted: caps, ambient: caps };
  const of = (capabilities: Json) => planOf({ "process.capabilities": capabilities }).warnings;
  assertEquals(of(sets), []);
  assertEquals(of({ ...sets, ambient: caps.slice(1) }), [
    "process.capabilities.ambient: cannot grant CAP_KILL, CAP_NET_BIND_SERVICE: " +
    "not both permitted and inheritable",
  ]);
  assertEquals(of({ ...sets, inheritable: caps.slice(1) }), [
    "process.capabilities.ambient: cannot grant CAP_AUDIT_WRITE: " +
    "not both permitted and inheritable",
  ]);
});

Deno.test("identity: no capabilities at all if the configuration has none", () => {
  const plan = planOf({ "process.capabilities": undefined });
  const { effective, permitted, inheritable, ambient } = onlyOp(plan, "caps");
  assertEquals([effective, permitted, inheritable, ambient], [0n, 0n, 0n, 0n]);
  assertEquals(onlyOp(plan, "bounding").mask, 0n);
});

Deno.test("identity: with no_new_privs the filter is the last thing before the program", () => {
  const plan = planOf({ "process.noNewPrivileges": true }, { seccomp: FILTER });
  assertEquals(tail(plan).slice(-5), ["rlimit", "sync", "wait_start", "seccomp", "exec"]);
  assertEquals(onlyOp(plan, "seccomp"), {
    op: "seccomp",
    from: "linux.seccomp",
    flags: 2,
    filter: FILTER.filter,
    notify: 0,
  });
});

Deno.test("identity: hooks of the container run under the filter, and init's own steps before limits", () => {
  const changes = (noNewPrivileges: boolean) => ({
    "process.noNewPrivileges": noNewPrivileges,
    "process.rlimits": [
      { type: "RLIMIT_FSIZE", soft: 0, hard: 0 },
      { type: "RLIMIT_NOFILE", soft: 1024, hard: 4096 },
      { type: "RLIMIT_NPROC", soft: 3, hard: 4096 },
    ],
    hooks: { startContainer: [{ path: "/bin/inner" }] },
  });
  const limits = (plan: ContainerPlan, between: [string, string]) => {
    const [from, to] = between.map((name) => plan.ops.findLastIndex(({ op }) => op === name));
    return plan.ops.slice(from, to).filter(({ op }) => op === "rlimit").map(({ from }) => from);
  };
  const late = planOf(changes(true), { seccomp: FILTER });
  assertEquals(names(late).slice(-6), [
    "wait_start",
    "seccomp",
    "hook",
    "rlimit",
    "rlimit",
    "exec",
  ]);
  assertEquals(limits(late, ["find_program", "sync"]), ["process.rlimits[1]"]);
  assertEquals(limits(late, ["hook", "exec"]), ["process.rlimits[0]", "process.rlimits[2]"]);
  const early = planOf(changes(false), { seccomp: FILTER });
  assertEquals(names(early).slice(-5), ["wait_start", "hook", "rlimit", "rlimit", "exec"]);
  assertEquals(limits(early, ["find_program", "seccomp"]), ["process.rlimits[1]"]);
});

Deno.test("identity: without it the filter needs CAP_SYS_ADMIN, which is given up afterwards", () => {
  const plan = planOf(
    { "process.noNewPrivileges": false, "process.capabilities": CAPABILITIES },
    { seccomp: FILTER },
  );
  assertEquals(tail(plan), [
    "bounding",
    "set_ids",
    "chdir",
    "caps",
    "find_program",
    "rlimit",
    "seccomp",
    "caps",
    "sync",
    "wait_start",
    "exec",
  ]);
  const [before, after] = opsOf(plan, "caps");
  assertEquals([before!.effective, before!.permitted], [
    KILL | SYS_ADMIN,
    KILL | CHOWN | SYS_ADMIN,
  ]);
  assertEquals([after!.effective, after!.permitted, after!.inheritable], [KILL, KILL, CHOWN]);
});

Deno.test("identity: a filter with a listener is loaded while runts can fetch it", () => {
  const plan = planOf({ "process.noNewPrivileges": true }, {
    seccomp: { ...FILTER, notify: true },
  });
  assertEquals(tail(plan).slice(-6), [
    "find_program",
    "rlimit",
    "seccomp",
    "sync",
    "wait_start",
    "exec",
  ]);
  assertEquals(onlyOp(plan, "seccomp").notify, 1);
});

Deno.test("identity: labels before no_new_privs", () => {
  const plan = planOf({
    "process.apparmorProfile": "docker-default",
    "process.selinuxLabel": "a:b:c:d",
  }, { noNewKeyring: true });
  assertEquals(opsOf(plan, "label").map(({ attr, fallback, label }) => [attr, fallback, label]), [
    ["apparmor/exec", "exec", "exec docker-default"],
    ["exec", "", "a:b:c:d"],
  ]);
  assertEquals(names(plan).lastIndexOf("label") < names(plan).indexOf("no_new_privs"), true);
});

Deno.test("identity: supplementary groups where setgroups is denied", () => {
  const single = [{ containerID: 0, hostID: 1000, size: 1 }];
  const rootless = { host: { ...HOST, euid: 1000 } };
  const user = (additionalGids: number[]): Json => ({
    "linux.namespaces": withNamespaces("user"),
    "linux.uidMappings": single,
    "linux.gidMappings": single,
    "process.user": { uid: 0, gid: 0, additionalGids },
  });
  const modes = (plan: ContainerPlan) => opsOf(plan, "set_ids").map((op) => op.groups_mode);
  assertEquals(modes(planOf(user([]), rootless)), [1, 1]);
  assertEquals(modes(planOf(user([]))), [0, 0]);
  const joined = { "linux.namespaces": withNamespaces({ type: "user", path: "/u" }) };
  assertEquals(modes(planOf(joined, rootless)), [1, 1]);
  const nested = { host: { ...HOST, inUserNamespace: true, setgroupsDenied: true } };
  assertEquals(modes(planOf({}, nested)), [1]);
  const error = assertThrows(() => planOf(user([10]), rootless), RuntsError);
  assertEquals(
    error.message,
    "process.user.additionalGids: supplementary groups cannot be set: " +
      "setgroups is denied in the user namespace: map more than one group with newgidmap",
  );
});

Deno.test("identity: run.oci.keep_original_groups leaves the caller's groups", () => {
  const plan = planOf({
    annotations: { "run.oci.keep_original_groups": "1" },
    "process.user": { uid: 0, gid: 0, additionalGids: [5] },
  });
  assertEquals(onlyOp(plan, "set_ids").groups_mode, 1);
});

import { assertEquals } from "@std/assert";
import { describeFailure, type RememberedOp } from "../../../lib/plan/failure.ts";
import { NAMESPACE_FLAGS } from "../../../lib/base/linux.ts";
import type { Op } from "../../../lib/wire/ops.ts";
import { Message } from "../../../lib/wire/messages.ts";
import { planExecOf, planOf } from "../../support/plan.ts";
import { type Json, withNamespaces } from "../../support/spec.ts";

const EPERM = 1;
const ENOENT = 2;
const ESRCH = 3;
const E2BIG = 7;
const ELOOP = 40;
const ENOEXEC = 8;
const EACCES = 13;
const EBUSY = 16;
const EINVAL = 22;
const EISDIR = 21;
const ENOSPC = 28;
const MAP = [{ containerID: 0, hostID: 100000, size: 1000 }];
const USER = { "linux.uidMappings": MAP, "linux.gidMappings": MAP };

/** The message for a failure of operation `op`; parts of the detail are separated by NULs. */
function failure(
  ops: readonly (Op | RememberedOp)[],
  op: number,
  errno: number,
  ...parts: (string | Uint8Array)[]
): string {
  const bytes = parts.flatMap((part, index) => [
    ...(index > 0 ? [0] : []),
    ...(typeof part === "string" ? new TextEncoder().encode(part) : part),
  ]);
  const detail = new Uint8Array(bytes);
  return describeFailure({ type: Message.failed, op, errno, value: 0n, detail }, ops).message;
}

/** The same for the operations of a changed template; the first that fits fails. */
function planned(
  changes: Json,
  find: (op: Op) => boolean,
  errno: number,
  ...parts: (string | Uint8Array)[]
): string {
  const { ops } = planOf(changes);
  return failure(ops, ops.findIndex(find), errno, ...parts);
}

const isProgram = (op: Op) => op.op === "find_program";
const isExec = (op: Op) => op.op === "exec";
const mountOf = (type: string) => (op: Op) => op.op === "mount" && op.fstype === type;

Deno.test("describeFailure: exec in a container whose init has just ended", () => {
  const { ops } = planExecOf({}, NAMESPACE_FLAGS.mount | NAMESPACE_FLAGS.pid);
  assertEquals(
    failure(ops, ops.findIndex(({ op }) => op === "setns"), ESRCH, "join"),
    "join: ESRCH (no such process): the container has just stopped",
  );
});

Deno.test("describeFailure: proc without a pid namespace of the user namespace's own", () => {
  const others = withNamespaces("user").filter(({ type }) => type !== "pid");
  const detail = 'mount "proc" on "/proc"';
  const joined = [...others, { type: "pid", path: "/proc/9/ns/pid" }];
  const reason = "EPERM (operation not permitted): the user namespace does not own the pid " +
    "namespace; add a new pid namespace";
  assertEquals(
    planned({ ...USER, "linux.namespaces": joined }, mountOf("proc"), EPERM, detail),
    `mounts[0]: ${detail}: ${reason} or remove linux.namespaces[5].path`,
  );
  assertEquals(
    planned({ ...USER, "linux.namespaces": others }, mountOf("proc"), EPERM, detail),
    `mounts[0]: ${detail}: ${reason}`,
  );
  assertEquals(
    planned({ ...USER, "linux.namespaces": withNamespaces("user") }, mountOf("proc"), EPERM),
    "mounts[0]: mount proc on /proc: EPERM (operation not permitted): " +
      "the runtime's own view of it is covered in part, so the kernel refuses a new one",
  );
});

Deno.test("describeFailure: well-known causes", () => {
  const cases: [Json, (op: Op) => boolean, number, string][] = [
    [
      { mounts: [{ destination: "/t", type: "tmpfs", options: ["mode=1", "bad=2"] }] },
      mountOf("tmpfs"),
      EINVAL,
      "mounts[0]: mount tmpfs on /t (mode=1,bad=2): EINVAL (invalid argument): " +
      'the filesystem refuses one of "mode=1", "bad=2"',
    ],
    [
      { mounts: [{ destination: "/t", type: "overlay", options: ["lowerdir=/none"] }] },
      mountOf("overlay"),
      ENOENT,
      "mounts[0]: mount overlay on /t (lowerdir=/none): ENOENT (no such file or directory): " +
      'something is not there that "lowerdir=/none" names',
    ],
    [
      { "process.oomScoreAdj": -5 },
      ({ op }) => op === "write_file",
      EACCES,
      'process.oomScoreAdj: write "-5" to /proc/self/oom_score_adj: EACCES: ' +
      "operation not permitted without CAP_SYS_RESOURCE on the host",
    ],
    [
      { "linux.sysctl": { "net.core.nothing": "1" } },
      ({ op }) => op === "write_file",
      ENOENT,
      'linux.sysctl["net.core.nothing"]: write "1" to /proc/sys/net/core/nothing: ' +
      "ENOENT (no such file or directory): the kernel has no such parameter, or not in this namespace",
    ],
    [
      {},
      ({ op }) => op === "rlimit",
      EPERM,
      "process.rlimits[0]: raise RLIMIT_NOFILE to 1024 if it is lower: " +
      "EPERM (operation not permitted): " +
      "raising a hard limit takes CAP_SYS_RESOURCE on the host",
    ],
    [
      { ...USER, "linux.namespaces": [{ type: "user" }, { type: "mount" }], hostname: undefined },
      ({ op }) => op === "clone",
      ENOSPC,
      "linux.namespaces: clone the container's process with new mount, user namespaces: " +
      "ENOSPC (no space left on device): " +
      "a limit is reached: sysctl user.max_user_namespaces and its like",
    ],
    [
      {},
      ({ op }) => op === "clone",
      EPERM,
      "linux.namespaces: clone the container's process with new mount, uts, ipc, pid, network " +
      "namespaces: EPERM (operation not permitted): " +
      "it takes root, or a user namespace in linux.namespaces",
    ],
    [
      {
        ...USER,
        "linux.namespaces": withNamespaces("user"),
        "process.user": { uid: 0, gid: 9999 },
      },
      (op) => op.op === "set_ids" && op.from !== "",
      EINVAL,
      "process.user: become user 0, group 9999: EINVAL (invalid argument): " +
      "the user namespace must map uid 0, gid 9999",
    ],
    [
      { "process.apparmorProfile": "missing" },
      ({ op }) => op === "label",
      ENOENT,
      'process.apparmorProfile: set label "exec missing" (apparmor/exec): ' +
      "ENOENT (no such file or directory): AppArmor is not enabled, or does not know the label",
    ],
    [
      {},
      ({ op }) => op === "enter_root",
      EINVAL,
      "root.path: make the root filesystem the root (pivot_root): EINVAL (invalid argument): " +
      "the root filesystem is on a ramdisk: use --no-pivot",
    ],
    [
      {},
      ({ op }) => op === "setsid",
      EBUSY,
      "start a session: EBUSY (device or resource busy)",
    ],
  ];
  for (const [changes, find, errno, message] of cases) {
    assertEquals(planned(changes, find, errno), message);
  }
});

Deno.test("describeFailure adds nothing to what a filesystem says", () => {
  const detail = 'mount "devpts" on "/dev/pts": devpts: Invalid gid \'5\'';
  assertEquals(
    planned({}, mountOf("devpts"), EINVAL, detail),
    `mounts[2]: ${detail}: EINVAL (invalid argument)`,
  );
});

Deno.test("describeFailure: a program that is not found, in runc's words", () => {
  const args = (name: string) => ({
    "process.args": [name],
    "process.env": ["PATH=/bin:/usr/bin"],
  });
  const text = "find program";
  assertEquals(
    planned(args("nosuch"), isProgram, ENOENT, text, "", ""),
    'process.args[0]: exec: "nosuch": executable file not found in $PATH: PATH is "/bin:/usr/bin"',
  );
  assertEquals(
    planned(args("/x"), isProgram, ENOENT, text, "/x", ""),
    'process.args[0]: exec: "/x": stat /x: no such file or directory',
  );
  assertEquals(
    planned(args("/a/b/x"), isProgram, ENOENT, text, "/a/b/x", "/a"),
    'process.args[0]: exec: "/a/b/x": stat /a/b/x: no such file or directory: ' +
      '"/a" is missing',
  );
  assertEquals(
    planned(args("/x"), isProgram, EACCES, text, "/x", ""),
    'process.args[0]: exec: "/x": permission denied: "/x" is not executable for this user',
  );
  assertEquals(
    planned(args("/mnt/x"), isProgram, EACCES, text, "/mnt/x", "", "noexec"),
    'process.args[0]: exec: "/mnt/x": permission denied: ' +
      '"/mnt/x" lies on a mount with the option noexec',
  );
  assertEquals(
    planned(args("x"), isProgram, EACCES, text, "/bin/x", "", ""),
    'process.args[0]: exec: "x": permission denied: "/bin/x" is not executable for this user',
  );
  assertEquals(
    planned(args("/p/x"), isProgram, EACCES, text, "/p/x", "/p"),
    'process.args[0]: exec: "/p/x": permission denied: "/p" cannot be searched by this user',
  );
  assertEquals(
    planned(args("/etc"), isProgram, EISDIR, text, "/etc", ""),
    'process.args[0]: exec: "/etc": permission denied: it is a directory',
  );
});

/** A program's first bytes, filled up to the length that is reported. */
function head(text: string, length = 1024): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(new TextEncoder().encode(text).subarray(0, length));
  return bytes;
}

function elf(machine: number, loader: string): Uint8Array {
  const bytes = new Uint8Array([...head("\x7fELF"), ...new TextEncoder().encode(loader)]);
  bytes[5] = 1;
  bytes[18] = machine;
  return bytes;
}

Deno.test("describeFailure: a program that cannot be executed", () => {
  const exec = (errno: number, bytes: Uint8Array) =>
    planned({}, isExec, errno, 'execute "/bin/app"', "/bin/app", bytes);
  const script = (text: string) => new TextEncoder().encode(text);
  const program = 'process.args: exec: "/bin/app"';
  assertEquals(
    exec(ENOENT, script("#!/bin/bash\r\necho\r\n")),
    `${program}: interpreter "/bin/bash\\r": no such file or directory: ` +
      "the first line of the script ends in CR LF; save it with Unix line ends",
  );
  assertEquals(
    exec(ENOENT, script("#! /usr/bin/python3 -u\n")),
    `${program}: interpreter "/usr/bin/python3": no such file or directory`,
  );
  assertEquals(
    exec(ENOENT, elf(62, "/lib64/ld-linux-x86-64.so.2")),
    `${program}: ELF loader "/lib64/ld-linux-x86-64.so.2": no such file or directory: ` +
      "the program is linked dynamically; its loader is not in the root filesystem",
  );
  assertEquals(exec(ENOENT, new Uint8Array()), `${program}: no such file or directory`);
  assertEquals(
    exec(ENOEXEC, elf(183, "")),
    `${program}: exec format error: it is an ELF program for aarch64`,
  );
  assertEquals(
    exec(ENOEXEC, script("echo hello\n")),
    `${program}: exec format error: it is no ELF program and does not begin with #!`,
  );
  assertEquals(
    exec(ENOEXEC, new Uint8Array()),
    `${program}: exec format error: the file is empty or cannot be read`,
  );
  assertEquals(
    exec(ENOEXEC, script("#!\n")),
    `${program}: exec format error: its first line names no interpreter after #!`,
  );
  assertEquals(
    exec(EACCES, script("#!/bin/data\n")),
    `${program}: permission denied: the interpreter "/bin/data" is not executable for this user, ` +
      "or lies on a mount with the option noexec",
  );
  assertEquals(
    exec(ELOOP, script("#!/bin/app\n")),
    `${program}: too many levels of symbolic links: ` +
      'the interpreter "/bin/app" needs others in turn, more than the kernel follows',
  );
  assertEquals(
    exec(ENOEXEC, script("\ufeff#!/bin/sh\n")),
    `${program}: exec format error: a byte order mark comes before #!; save it without one`,
  );
  assertEquals(
    exec(ENOEXEC, script(`#!/${"a".repeat(300)}\n`)),
    `${program}: exec format error: its first line is longer than 256 bytes`,
  );
  assertEquals(exec(E2BIG, elf(62, "")), `${program}: argument list too long`);
});

Deno.test("describeFailure: hooks", () => {
  const hooks = { hooks: { createContainer: [{ path: "/a" }, { path: "/b" }] } };
  const { ops } = planOf(hooks);
  const second = ops.findIndex((op) => op.op === "hook" && op.index === 1);
  assertEquals(
    failure(ops, second, 0, 'exit status 3 after 12 ms: stderr "no"'),
    'hooks.createContainer[1]: hook "/b": exit status 3 after 12 ms: stderr "no"',
  );
  assertEquals(
    failure(ops, second - 1, ENOENT, ""),
    'hooks.createContainer[0]: hook "/a": ENOENT (no such file or directory)',
  );
});

Deno.test("describeFailure knows the operations that a status file keeps", () => {
  const kept = [
    { index: 60, op: "hook", from: "hooks.startContainer[0]" },
    { index: 61, op: "seccomp", from: "linux.seccomp" },
    { index: 62, op: "exec", from: "process.args" },
  ];
  assertEquals(
    failure(kept, 60, 0, "timed out after 1 s"),
    "hooks.startContainer[0]: hook: timed out after 1 s",
  );
  assertEquals(
    failure(kept, 61, EINVAL, "load the seccomp filter"),
    "linux.seccomp: load the seccomp filter: EINVAL (invalid argument)",
  );
  assertEquals(
    failure(kept, 62, ENOENT, "execute", "/x", "#!/y\n"),
    'process.args: exec: "/x": interpreter "/y": no such file or directory',
  );
});

Deno.test("describeFailure of what belongs to no operation", () => {
  assertEquals(failure([], -1, 0, "the plan is malformed"), "the plan is malformed");
  assertEquals(failure([], 7, EPERM), "init: EPERM (operation not permitted)");
});

Deno.test("describeFailure names the stage", () => {
  const { ops } = planOf();
  const stage = (find: (op: Op) => boolean) => {
    const op = ops.findIndex(find);
    const detail = new Uint8Array();
    return describeFailure({ type: Message.failed, op, errno: EPERM, value: 0n, detail }, ops)
      .data.stage;
  };
  assertEquals(stage(({ op }) => op === "clone"), "namespaces");
  assertEquals(stage(mountOf("proc")), "root filesystem");
  assertEquals(stage(({ op }) => op === "rlimit"), "host");
  assertEquals(stage(({ op }) => op === "streams"), "process");
  assertEquals(stage(isExec), "start");
});

/** Limits and the umask of the program: in force for it and its hooks, and not for what runts does. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { ownCgroups } from "../../support/cgroups.ts";
import { hook } from "../../support/hooks.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { inside, shell, userNamespace } from "../../support/inside.ts";
import { command, commandLine, type Output, PEER, RUNTS_ONLY } from "../../support/runtime.ts";
import { withSleeper } from "../../support/seen.ts";

const CAP_SYS_RESOURCE = 1n << 24n;

/** Whether root may raise hard limits here. */
function mayRaise(): boolean {
  const status = Deno.readTextFileSync("/proc/self/status");
  const mask = /^CapEff:\s*(\S+)/m.exec(status)?.[1];
  return (BigInt(`0x${mask}`) & CAP_SYS_RESOURCE) !== 0n;
}

function limit(type: string, soft: number, hard = soft): Config {
  return { type: `RLIMIT_${type}`, soft, hard };
}

/** Runs the runtime with pipes for its output, because RLIMIT_FSIZE is about files. */
function piped(runtime: TestRuntime, words: readonly string[]): Promise<Output> {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
  const script = 'set -o pipefail; { "$@" 2>&1 >&3 | cat >&2; } 3>&1 | cat';
  return command(["bash", "-c", script, "bash", ...line]);
}

/** Runs the runtime by a shell that has set limits or a umask of its own. */
function under(setting: string, runtime: TestRuntime, words: readonly string[]): Promise<Output> {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
  return command(["bash", "-c", `${setting}; exec "$@"`, "bash", ...line]);
}

/** Limits that would stop a runtime which sets them too early. */
const LOW: readonly Config[] = [
  limit("FSIZE", 0),
  limit("NOFILE", 3),
  limit("NOFILE", 3, 1024),
  limit("NPROC", 0),
  limit("CPU", 1),
  limit("AS", 1 << 23),
  limit("DATA", 1 << 20),
  limit("STACK", 1 << 17),
  limit("MEMLOCK", 0),
  limit("SIGPENDING", 0),
  limit("MSGQUEUE", 0),
];
/** Those that stop the peers, which need a pipe for a hook, and a process to run it. */
const TOO_LOW = ["RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_AS", "RLIMIT_DATA"];

for (const low of LOW) {
  const name = `${low.type} ${low.soft}:${low.hard}`;
  Deno.test({
    name: `${name} does not stop a startContainer hook`,
    ignore: PEER !== "runts" && TOO_LOW.includes(low.type) ||
      PEER === "crun" && low.type === "RLIMIT_FSIZE", // its first process still writes then
    fn: () =>
      withRuntime(async (runtime) => {
        for (const seccomp of [false, true]) {
          using bundle = new Bundle((config) => {
            config.process.user = { uid: 1000, gid: 1000 };
            config.process.rlimits = [low];
            config.process.args = ["busybox", "echo", "program"];
            const reads = { path: "/bin/busybox", args: ["busybox", "grep", "-q", "ociVersion"] };
            config.hooks = { startContainer: [reads, reads] };
            if (seccomp) config.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
          });
          const words = ["run", "--bundle", bundle.path, runtime.id()];
          assertEquals(await piped(runtime, words), { code: 0, stdout: "program\n", stderr: "" });
        }
      }),
  });

  Deno.test({
    name: `${name} does not stop exec`,
    ...RUNTS_ONLY,
    fn: () =>
      withSleeper(
        (config) => config.process.user = { uid: 1000, gid: 1000 },
        async ({ runtime, id, bundle }) => {
          const file = `${bundle.path}/process.json`;
          const args = ["busybox", "echo", "program"];
          const process = { ...bundle.config.process, args, rlimits: [low] };
          Deno.writeTextFileSync(file, JSON.stringify(process));
          assertEquals(
            await piped(runtime, ["exec", "--process", file, id]),
            { code: 0, stdout: "program\n", stderr: "" },
          );
        },
      ),
  });
}

const OPEN_FILES = "grep 'open files' /proc/self/limits | busybox tr -s ' '";

inside("startContainer hooks have the program's limits", (config) => {
  config.process.rlimits = [limit("NOFILE", 20, 30)];
  const seen = hook(`${OPEN_FILES} >/dev/shm/seen`, { env: ["PATH=/bin"] });
  config.hooks = { startContainer: [seen] };
  shell(config, `cat /dev/shm/seen; ${OPEN_FILES}`);
}, ["Max open files 20 30 files ", "Max open files 20 30 files "]);

Deno.test({
  name: "createContainer hooks have the caller's limits",
  ignore: PEER === "crun", // 1.8 sets the program's before
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const seen = `${bundle.path}/seen`;
      bundle.config.process.rlimits = [limit("NOFILE", 20, 30)];
      bundle.config.hooks = { createContainer: [hook(`ulimit -Hn >${seen}`)] };
      bundle.save();
      await runtime.ok(["run", "--bundle", bundle.path, runtime.id()]);
      assertEquals(Number(Deno.readTextFileSync(seen)) > 30, true);
    }),
});

// Both peers open more than that under the limit.
inside(
  "HOME is looked up whatever the limits are",
  (config, bundle) => {
    bundle.put("etc/passwd", "one:x:0:0::/home/one:/bin/sh\n");
    config.process.rlimits = [limit("NOFILE", 3)];
    config.process.args = ["/bin/busybox", "env"];
    config.process.env = [];
  },
  ["HOME=/home/one"],
  RUNTS_ONLY,
);

/** A bundle with bind mounts of as many files, in a user namespace. */
function manyBinds(count: number): Bundle {
  const bundle = new Bundle((config) => {
    userNamespace(config);
    config.root.readonly = false;
    config.process.rlimits = [limit("NOFILE", 512)];
    shell(config, `ls /run | busybox wc -l; cat /run/${count - 1}; ulimit -n; ulimit -Hn`);
  });
  Deno.mkdirSync(`${bundle.path}/sources`);
  for (let i = 0; i < count; i++) {
    const source = `${bundle.path}/sources/${i}`;
    Deno.writeTextFileSync(source, `${i}\n`);
    bundle.config.mounts.push({ destination: `/run/${i}`, source, options: ["bind", "ro"] });
  }
  for (const path of ["", "/run"]) Deno.chownSync(bundle.rootfs + path, 100_000, 100_000);
  bundle.save();
  return bundle;
}

for (const count of [600, 1500]) {
  Deno.test({
    name: `${count} bind mounts in a user namespace, with a limit of 512 descriptors`,
    ...RUNTS_ONLY, // runc 1.1.5 takes long, crun 1.8 has the same limit
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = manyBinds(count);
        // Whatever the runtime's own limit is; with the right to, init goes beyond the hard one.
        for (const own of ["-Sn 1024", "-Sn 300", ...(mayRaise() ? ["-n 520"] : [])]) {
          const words = ["run", "--bundle", bundle.path, runtime.id()];
          assertEquals(await under(`ulimit ${own}`, runtime, words), {
            code: 0,
            stdout: `${count}\n${count - 1}\n512\n512\n`,
            stderr: "",
          });
        }
      }),
  });
}

Deno.test({
  name: "more bind mounts than there are descriptors are an error in words",
  ignore: PEER !== "runts" || mayRaise(), // other words
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = manyBinds(600);
      const id = runtime.id();
      const words = ["run", "--bundle", bundle.path, id];
      const { code, stdout, stderr } = await under("ulimit -n 520", runtime, words);
      assertEquals([code, stdout], [1, ""]);
      const said = stderr.replaceAll(bundle.path, "BUNDLE").replace(/mounts\[\d+\]/, "mounts[N]")
        .replace(/sources\/\d+/, "sources/N");
      assertEquals(
        said,
        `runts: run "${id}": mounts[N]: open the bind source "BUNDLE/sources/N": ` +
          "EMFILE (too many open files): each takes a descriptor: " +
          "raise the hard limit of runts (ulimit -Hn)\n",
      );
    }),
});

Deno.test({
  name: "hard limits above the caller's, in a user namespace, for run and exec",
  ignore: !mayRaise(),
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        userNamespace(config);
        config.process.rlimits = [limit("NOFILE", 1500, 2000)];
        config.process.args = ["sleep", "1000"];
      });
      Deno.chownSync(bundle.rootfs, 100_000, 100_000);
      const id = runtime.id();
      const words = ["run", "--detach", "--bundle", bundle.path, id];
      const started = await under("ulimit -n 1000", runtime, words);
      assertEquals([started.code, started.stderr], [0, ""]);
      const { pid } = await runtime.state(id);
      const limits = Deno.readTextFileSync(`/proc/${pid}/limits`);
      assertEquals(/open files +(\d+ +\d+)/.exec(limits)?.[1]?.split(/ +/), ["1500", "2000"]);
      const ask = ["exec", id, "sh", "-c", "ulimit -n; ulimit -Hn"];
      const { stdout, stderr } = await under("ulimit -n 1000", runtime, ask);
      assertEquals([stdout, stderr], ["1500\n2000\n", ""]);
      await runtime.ok(["delete", "--force", id]);
    }),
});

for (const umask of [0o077, 0o777]) {
  const text = umask.toString(8).padStart(4, "0");
  inside(`a missing working directory is made for all, process.user.umask ${text}`, (config) => {
    config.root.readonly = false;
    config.process.cwd = "/new/deep/cwd";
    config.process.user = { uid: 1000, gid: 1000, umask };
    shell(
      config,
      "umask; cd /; for d in new new/deep new/deep/cwd; do stat -c '%a %u:%g' $d; done",
    );
  }, [text, "755 0:0", "755 0:0", "755 0:0"]);

  Deno.test({
    name: `a container's cgroups can be read from inside, the caller's umask ${text}`,
    ...RUNTS_ONLY, // the peers leave it in force
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
        const id = runtime.id();
        for (const words of [["create", "--bundle", bundle.path, id], ["start", id]]) {
          const { code, stderr } = await under(`umask ${text}`, runtime, words);
          assertEquals([code, stderr], [0, ""]);
        }
        const { pid } = await runtime.state(id);
        const modes = ownCgroups(pid, id).map((path) => Deno.statSync(path).mode! & 0o777);
        assertEquals([modes.length > 0, new Set(modes)], [true, new Set([0o755])]);
        for (const words of [["exec", id, "true"], ["delete", "--force", id]]) {
          const { code, stderr } = await under(`umask ${text}`, runtime, words);
          assertEquals([code, stderr], [0, ""]);
        }
      }),
  });

  Deno.test({
    name: `what is made in the root filesystem has its mode, the caller's umask ${text}`,
    ...RUNTS_ONLY, // the peers leave it in force
    fn: () =>
      withRuntime(async (runtime) => {
        const made = "/cwd /cwd/a /mount /bound /nodes /nodes/zero /dev/null /dev/pts".split(" ");
        using bundle = new Bundle((config) => {
          config.root.readonly = false;
          config.process.cwd = "/cwd/a";
          config.process.user = { uid: 1000, gid: 1000, umask: 0o022 };
          config.mounts.push(
            { destination: "/mount/a", type: "tmpfs", source: "tmpfs" },
            { destination: "/bound/file", source: "/etc/passwd", options: ["bind", "ro"] },
          );
          config.linux.devices = [{ path: "/nodes/zero", type: "c", major: 1, minor: 5 }];
          config.process.args = ["stat", "-c", "%a", ...made];
        });
        const words = ["run", "--bundle", bundle.path, runtime.id()];
        assertEquals(await under(`umask ${text}`, runtime, words), {
          code: 0,
          stdout: "755\n755\n755\n755\n755\n666\n666\n755\n",
          stderr: "",
        });
        assertEquals(Deno.statSync(`${bundle.rootfs}/bound/file`).mode! & 0o777, 0o644);
      }),
  });
}

/** Limits and the umask of the program: in force for it and its hooks, and not for what runts does. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { hook } from "../../support/hooks.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { inside, shell, userNamespace } from "../../support/inside.ts";
import { command, commandLine, type Output, PEER } from "../../support/runtime.ts";
import { withSleeper } from "../../support/seen.ts";

const RUNTS_ONLY = { ignore: PEER !== "runts" };

function limit(type: string, soft: number, hard = soft): Config {
  return { type: `RLIMIT_${type}`, soft, hard };
}

/** Whether root may raise hard limits here. */
const MAY_RAISE = (BigInt(`0x${readStatus("CapEff")}`) & 1n << 24n) !== 0n;

function readStatus(key: string): string {
  return new RegExp(`^${key}:\\s*(\\S+)`, "m").exec(
    Deno.readTextFileSync("/proc/self/status"),
  )![1]!;
}

/** Runs the runtime with pipes for its output: RLIMIT_FSIZE is about files. */
function piped(runtime: TestRuntime, words: readonly string[]): Promise<Output> {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
  const script =
    'exec 3>&1; { { "$@" 3>&-; echo $? >&4; } | cat >&3; } 4>&1 | { read code; exit $code; }';
  return command(["bash", "-c", script, "bash", ...line]);
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

for (const low of LOW) {
  const name = `${low.type} ${low.soft}:${low.hard}`;
  Deno.test({
    name: `${name} does not stop a startContainer hook`,
    // Their own steps: a pipe for the hook, a process to run it.
    ignore: PEER !== "runts" && ["RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_AS"].includes(low.type),
    fn: () =>
      withRuntime(async (runtime) => {
        for (const seccomp of [false, true]) {
          using bundle = new Bundle();
          const { config } = bundle;
          config.process.user = { uid: 1000, gid: 1000 };
          config.process.rlimits = [low];
          config.process.args = ["busybox", "echo", "program"];
          config.hooks = {
            startContainer: [1, 2].map(() => ({
              path: "/bin/busybox",
              args: ["busybox", "cat"],
            })),
          };
          config.annotations = { text: "x".repeat(100) };
          if (seccomp) config.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
          bundle.save();
          const words = ["run", "--bundle", bundle.path, runtime.id()];
          const { code, stdout, stderr } = await piped(runtime, words);
          assertEquals({ code, stderr }, { code: 0, stderr: "" });
          const [, state, again, program] = /^(\{.*\})(\{.*\})(program\n)$/s.exec(stdout) ?? [];
          assertEquals([state, program], [again, "program\n"], stdout);
          assertEquals(JSON.parse(state!).status, "created");
        }
      }),
  });

  Deno.test({
    name: `${name} does not stop exec`,
    ...RUNTS_ONLY,
    fn: () =>
      withSleeper((config) => {
        config.process.user = { uid: 1000, gid: 1000 };
      }, async (sleeper) => {
        const process = `${sleeper.bundle.path}/process.json`;
        const { user, env, cwd } = sleeper.bundle.config.process;
        Deno.writeTextFileSync(
          process,
          JSON.stringify({ user, env, cwd, args: ["busybox", "echo", "program"], rlimits: [low] }),
        );
        assertEquals(await piped(sleeper.runtime, ["exec", "--process", process, sleeper.id]), {
          code: 0,
          stdout: "program\n",
          stderr: "",
        });
      }),
  });
}

const OPEN_FILES = "grep 'open files' /proc/self/limits | busybox tr -s ' '; ";

inside("startContainer hooks have the program's limits", (config) => {
  config.process.rlimits = [limit("NOFILE", 20, 30)];
  const seen = hook(OPEN_FILES, { env: ["PATH=/bin"] });
  config.hooks = { startContainer: [seen] };
  shell(config, OPEN_FILES);
}, ["Max open files 20 30 files ", "Max open files 20 30 files "]);

inside("createContainer hooks have the caller's limits", (config) => {
  config.process.rlimits = [limit("NOFILE", 20, 30), limit("CORE", 0)];
  config.hooks = { createContainer: [hook("ulimit -Hn | grep -c '^30$' || true")] };
}, ["0"]);

inside(
  "HOME is looked up whatever the limits are",
  (config, bundle) => {
    bundle.put("etc/passwd", "one:x:0:0::/home/one:/bin/sh\n");
    config.process.rlimits = [limit("NOFILE", 3)];
    config.process.args = ["busybox", "env"];
    config.process.env = [];
    config.process.args[0] = "/bin/busybox";
  },
  ["HOME=/home/one"],
  { ignore: PEER === "runc" },
); // 1.1.5 opens other files, too

/** Binds of one file, in as many places. */
function binds(config: Config, bundle: Bundle, count: number): void {
  Deno.mkdirSync(`${bundle.path}/sources`);
  for (let i = 0; i < count; i++) {
    Deno.writeTextFileSync(`${bundle.path}/sources/${i}`, `${i}`);
    const options = ["bind", "ro"];
    config.mounts.push({
      destination: `/run/${i}`,
      source: `${bundle.path}/sources/${i}`,
      options,
    });
  }
}

for (const count of [600, 1500]) {
  Deno.test(
    `${count} bind mounts in a user namespace, with a limit of 512 descriptors`,
    RUNTS_ONLY,
    async () => {
      await withRuntime(async (runtime) => {
        using bundle = new Bundle();
        binds(bundle.config, bundle, count);
        userNamespace(bundle.config);
        Deno.chownSync(bundle.rootfs, 100_000, 100_000);
        bundle.config.root.readonly = false;
        bundle.config.process.rlimits = [limit("NOFILE", 512)];
        shell(
          bundle.config,
          `ls /run | busybox wc -l; cat /run/${count - 1}; ulimit -n; ulimit -Hn`,
        );
        bundle.save();
        Deno.chownSync(`${bundle.rootfs}/run`, 100_000, 100_000);
        const words = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
        for (const own of ["-Sn 1024", "-Sn 300", ...(MAY_RAISE ? ["-n 300"] : [])]) {
          // Even where the runtime has a low limit itself; its root may raise it.
          const line = ["bash", "-c", `ulimit ${own}; exec "$@"`, "bash"];
          const { code, stdout, stderr } = await command(
            [...line, ...commandLine(runtime.executable, words)],
          );
          assertEquals({ code, stdout, stderr }, {
            code: 0,
            stdout: `${count}\n${count - 1}512\n512\n`,
            stderr: "",
          });
        }
      });
    },
  );
}

Deno.test({
  name: "hard limits above the caller's, in a user namespace, for run and exec",
  ignore: !MAY_RAISE,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      userNamespace(bundle.config);
      Deno.chownSync(bundle.rootfs, 100_000, 100_000);
      bundle.config.process.rlimits = [limit("NOFILE", 1500, 2000)];
      bundle.config.process.args = ["sleep", "1000"];
      bundle.save();
      const id = runtime.id();
      const low = async (...words: string[]) => {
        const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
        return await command(["sh", "-c", 'ulimit -n 1000; exec "$@"', "sh", ...line]);
      };
      const started = await low("run", "--detach", "--bundle", bundle.path, id);
      assertEquals([started.code, started.stderr], [0, ""]);
      const { pid } = await runtime.state(id);
      const limits = Deno.readTextFileSync(`/proc/${pid}/limits`);
      assertEquals(/open files +(\d+ +\d+)/.exec(limits)?.[1]?.split(/ +/), ["1500", "2000"]);
      const { stdout, stderr } = await low("exec", id, "sh", "-c", "ulimit -n; ulimit -Hn");
      assertEquals([stdout, stderr], ["1500\n2000\n", ""]);
      await runtime.ok(["delete", "--force", id]);
    }),
});

for (const umask of [0o077, 0o777]) {
  const text = umask.toString(8);
  inside(
    `a working directory that is missing is made for all, process.user.umask ${text}`,
    (config) => {
      config.root.readonly = false;
      config.process.cwd = "/new/deep/cwd";
      config.process.user = { uid: 1000, gid: 1000, umask };
      shell(
        config,
        "umask; cd /; for d in new new/deep new/deep/cwd; do stat -c '%a %u:%g' $d; done",
      );
    },
    [text.padStart(4, "0"), "755 0:0", "755 0:0", "755 0:0"],
  );

  Deno.test(`what is made in the root filesystem has its mode, the caller's umask ${text}`, async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.root.readonly = false;
        config.process.cwd = "/cwd/a";
        config.process.user = { uid: 1000, gid: 1000, umask: 0o022 };
        config.mounts.push(
          { destination: "/mount/a", type: "tmpfs", source: "tmpfs" },
          { destination: "/bound/file", source: "/etc/passwd", options: ["bind", "ro"] },
        );
        config.linux.devices = [{ path: "/nodes/zero", type: "c", major: 1, minor: 5 }];
        shell(
          config,
          "stat -c '%n %a' /cwd /cwd/a /mount /bound /nodes /nodes/zero /dev/null /dev/pts",
        );
      });
      const words = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
      const line = ["sh", "-c", `umask ${text}; exec "$@"`, "sh"];
      const { code, stdout, stderr } = await command(
        [...line, ...commandLine(runtime.executable, words)],
      );
      assertEquals({ code, stderr, lines: stdout.trimEnd().split("\n") }, {
        code: 0,
        stderr: "",
        lines: [
          "/cwd 755",
          "/cwd/a 755",
          "/mount 755",
          "/bound 755",
          "/nodes 755",
          "/nodes/zero 666",
          "/dev/null 666",
          "/dev/pts 755",
        ],
      });
      assertEquals(Deno.statSync(`${bundle.rootfs}/bound/file`).mode! & 0o777, 0o644);
    });
  });
}

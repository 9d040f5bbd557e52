/** dist/runts is one file that works wherever it is put, and touches nothing but its state. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { basename } from "@std/path";
import { isWithin } from "../../../lib/base/paths.ts";
import { Bundle } from "../../support/bundle.ts";
import { TestRuntime, withRuntime } from "../../support/host.ts";
import {
  command,
  commandLine,
  PEER,
  PROJECT,
  RUNTIME,
  RUNTS_ONLY,
  until,
} from "../../support/runtime.ts";
import { changedPaths, trace } from "../../support/strace.ts";

/** What the tests below say of runts alone. */
/** Outside of /tmp, which one of the tests makes noexec. */
const ELSEWHERE = "/var/tmp";

/** Runs a test with a copy of the executable in a directory of its own. */
async function withCopy(body: (copy: string, directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ dir: ELSEWHERE, prefix: "runts-copy-" });
  try {
    const copy = `${directory}/${basename(RUNTIME)}`;
    Deno.copyFileSync(RUNTIME, copy);
    await body(copy, directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** A command line that runs `line` in a mount namespace of its own, after some shell commands. */
function withMounts(setUp: string, line: readonly string[]): string[] {
  return ["unshare", "-m", "--propagation", "private", "sh", "-ec", `${setUp}; exec "$@"`, "sh"]
    .concat(line);
}

/** A bundle outside of /tmp. */
function bundleElsewhere(directory: string, script: string): string {
  using bundle = new Bundle((config) => config.process.args = ["sh", "-c", script]);
  const path = `${directory}/bundle`;
  new Deno.Command("cp", { args: ["-a", bundle.path, path] }).outputSync();
  return path;
}

Deno.test("a copy runs a container from a read-only directory without any variable", async () => {
  await withRuntime(async ({ root }) => {
    await withCopy(async (copy, directory) => {
      const bundle = bundleElsewhere(directory, "echo inside; exit 4");
      const args = ["--root", root, "run", "--bundle", bundle, `t${Deno.pid}-copy`];
      const readOnly = `mount --bind ${directory} ${directory}; ` +
        `mount -o remount,bind,ro ${directory}`;
      const line = commandLine(copy, args);
      // What is wrapped around crun needs PATH.
      const bare = PEER === "crun" ? line : ["/usr/bin/env", "-i", ...line];
      const output = await command(withMounts(readOnly, bare));
      assertEquals(output, { code: 4, stdout: "inside\n", stderr: "" });
    });
  });
});

Deno.test("a container runs while /tmp is mounted noexec", async () => {
  await withRuntime(async ({ root }) => {
    await withCopy(async (copy, directory) => {
      const bundle = bundleElsewhere(directory, "echo inside");
      const args = ["--root", root, "run", "--bundle", bundle, `t${Deno.pid}-noexec`];
      const noexec = "mount --bind /tmp /tmp; mount -o remount,bind,noexec /tmp";
      const output = await command(withMounts(noexec, commandLine(copy, args)));
      assertEquals(output, { code: 0, stdout: "inside\n", stderr: "" });
    });
  });
});

Deno.test("any number of arguments reaches the command", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const words = Array.from({ length: 100_000 }, (_, i) => `${i % 10}`);
    const last = "x".repeat(128 * 1024 - 1);
    const script = 'n=$#; shift $((n - 1)); echo "$n ${#1}"';
    const shell = ["exec", id, "sh", "-c", script, "sh"];
    assertEquals(await runtime.ok([...shell, ...words, last]), `100001 ${last.length}\n`);
    await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test("the longest single argument reaches the command", async () => {
  await withRuntime(async (runtime) => {
    const id = "x".repeat(128 * 1024 - 1);
    const { code, stderr } = await runtime.run(["state", id]);
    assertEquals(code, 1);
    assert(stderr.includes(id.slice(0, 100)), stderr.slice(0, 200));
  });
});

Deno.test({
  name: "files of Deno, npm and Node in the working directory and in HOME do not matter",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      const directory = Deno.makeTempDirSync({ prefix: "runts-cwd-" });
      try {
        const names = ["deno.json", "deno.lock", "package.json", "tsconfig.json", ".env"];
        for (const name of names) Deno.writeTextFileSync(`${directory}/${name}`, "{ broken");
        Deno.writeTextFileSync(`${directory}/.npmrc`, "registry=:::not a url");
        const options = { cwd: directory, env: { HOME: directory } };
        assertEquals(await runtime.ok(["list", "--quiet"], options), "");
        const left = [...Deno.readDirSync(directory)].map((entry) => entry.name);
        assertEquals(left.sort(), [...names, ".npmrc"].sort());
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    });
  },
});

Deno.test("a working directory that was removed does not matter", async () => {
  await withRuntime(async ({ root }) => {
    const directory = Deno.makeTempDirSync({ prefix: "runts-gone-" });
    const script = 'cd "$0" && rmdir "$0" && exec "$@"';
    const list = [RUNTIME, "--root", root, "list", "--quiet"];
    const output = await command(["sh", "-c", script, directory, ...list]);
    assertEquals(output, { code: 0, stdout: "", stderr: "" });
  });
});

Deno.test({
  name: "variables that steer Deno and Node do not reach them",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      const directory = Deno.makeTempDirSync({ prefix: "runts-env-" });
      try {
        const env = {
          DENO_V8_FLAGS: "--no-such-flag",
          DENO_DIR: directory,
          DENO_COVERAGE_DIR: `${directory}/coverage`,
          DENO_CERT: "/nonexistent",
          DENO_TLS_CA_STORE: "none of these",
          DENO_JOBS: "none",
          DENO_AUDIT_PERMISSIONS: `${directory}/audit`,
          NODE_OPTIONS: "--no-such-option",
          NODE_CHANNEL_FD: "0",
          OTEL_DENO: "true",
          XDG_CACHE_HOME: directory,
        };
        const output = await runtime.run(["list", "--quiet"], { env });
        assertEquals(output, { code: 0, stdout: "", stderr: "" });
        assertEquals([...Deno.readDirSync(directory)], []);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    });
  },
});

Deno.test({
  name: "hooks get the environment that runts was given",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.hooks = { poststop: [{ path: "/bin/sh", args: ["sh", "-c", "env >&2"] }] };
      });
      const env = { DENO_DIR: "/mine", NODE_OPTIONS: "--mine", HOME: "/home/me", KEEP: "me" };
      const line = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
      const output = await command([RUNTIME, ...line], { env, clearEnv: true });
      assertEquals(output.code, 0, output.stderr);
      const seen = new Map(
        output.stderr.trim().split("\n").map((entry) => {
          const at = entry.indexOf("=");
          return [entry.slice(0, at), entry.slice(at + 1)];
        }),
      );
      for (const [name, value] of Object.entries(env)) assertEquals(seen.get(name), value, name);
      assertEquals(seen.get("DENO_NO_UPDATE_CHECK"), undefined);
    });
  },
});

/** Paths that a command may change: its state, cgroups and what the kernel makes up. */
function isExpected(path: string, root: string): boolean {
  return isWithin(path, root) ||
    /^\/sys\/fs\/cgroup\/|^\/proc\/|^\/dev\/(null|tty|pts\/|ptmx)|^(pipe|socket|anon_inode):|^\/memfd:/
      .test(path);
}

Deno.test({
  name: "no command writes outside of its state root or opens a network socket",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async ({ root }) => {
      using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
      const id = `t${Deno.pid}-trace`;
      const lines = [
        ["--version"],
        ["--help"],
        ["features"],
        ["create", "--bundle", bundle.path, id],
        ["state", id],
        ["start", id],
        ["list"],
        ["ps", id],
        ["exec", id, "true"],
        ["kill", id, "KILL"],
        ["delete", "--force", id],
        ["run", "--bundle", bundle.path, "--no-such-option", id],
      ];
      for (const line of lines) {
        const { code, stderr, calls } = await trace([RUNTIME, "--root", root, ...line]);
        const isFaulty = line.includes("--no-such-option");
        assertEquals(code, isFaulty ? 1 : 0, `${line.join(" ")}: ${stderr}`);
        const changed = changedPaths(calls);
        const outside = changed.filter((path) =>
          !isExpected(path, root) && !path.startsWith(bundle.rootfs)
        );
        assertEquals(outside, [], line.join(" "));
        const sockets = calls.filter(({ name, args }) => name === "socket" && /INET/.test(args));
        assertEquals(sockets, [], line.join(" "));
        assert(calls.length > 5, "strace saw the command");
        if (line[0] === "create") {
          assert(changed.includes(`${root}/${id}`), `the state directory in ${changed.join(" ")}`);
        }
      }
    });
  },
});

Deno.test({
  name: "a command needs less than 64 MB",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
      const id = runtime.id();
      const run = new Deno.Command(RUNTIME, {
        args: ["--root", runtime.root, "run", "--bundle", bundle.path, id],
        stdout: "null",
      }).spawn();
      const isRunning = async () => {
        const { code, stdout } = await runtime.run(["state", id]);
        return code === 0 && JSON.parse(stdout).status === "running";
      };
      await until("the container runs", isRunning);
      const status = Deno.readTextFileSync(`/proc/${run.pid}/status`);
      const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
      await runtime.ok(["kill", id, "KILL"]);
      await run.status;
      assert(peak > 0 && peak < 64 * 1000, `peak memory: ${peak} kB`);
    });
  },
});

Deno.test("a container that waits for start needs less than 500 kB", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const memory = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    await runtime.ok(["delete", "--force", id]);
    assert(memory > 0 && memory < 500, `memory: ${memory} kB`);
  });
});

Deno.test({
  name: "the executable is one file that names nothing of the machine it was built on",
  ...RUNTS_ONLY,
  async fn() {
    const { code, stdout } = await command(["grep", "-c", PROJECT, RUNTIME]);
    assertEquals({ code, stdout }, { code: 1, stdout: "0\n" });
    const runtime = new TestRuntime("/nonexistent");
    assertMatch(await runtime.ok(["--version"]), /^runts version \d+\.\d+\.\d+\n/);
  },
});

Deno.test("on a terminal a command prints what it prints elsewhere", RUNTS_ONLY, async () => {
  await withRuntime(async ({ root }) => {
    const line = `${RUNTIME} --root ${root} state none`;
    const output = await command(["script", "-qec", line, "/dev/null"]);
    assertEquals(output, {
      code: 1,
      stdout: 'runts: state "none": container does not exist\r\n',
      stderr: "",
    });
  });
});

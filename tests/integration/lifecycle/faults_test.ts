/**
 * Faults: what runs out, is closed, hangs or dies. Afterwards the host is as it was, or what is
 * left goes with `delete --force`, and the message names the cause.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Bundle, type Config, idle } from "../../support/bundle.ts";
import { hasProcesses, runtimeTest, type TestRuntime } from "../../support/host.ts";
import {
  asIfTold,
  command,
  type CommandOptions,
  type Output,
  RUNTS_ONLY,
  until,
} from "../../support/runtime.ts";

/** Runs the runtime from a shell script, as `"$@"`; `args` come after the global options. */
function through(
  runtime: TestRuntime,
  script: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Output> {
  const line = [runtime.executable, "--root", runtime.root, ...args];
  return command(["bash", "-c", script, "bash", ...line], options);
}

/** Mounts over the state root in a mount namespace of its own, then runs the script. */
function onRoot(runtime: TestRuntime, mount: string, script: string, args: readonly string[]) {
  const inside = `mount ${mount} ${runtime.root} && { ${script}; }`;
  const line = [runtime.executable, "--root", runtime.root, ...args];
  return command(["unshare", "-m", "bash", "-c", inside, "bash", ...line]);
}

runtimeTest("fault: a full state root", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  const fill = `head -c 1m </dev/zero >${runtime.root}/.fill 2>/dev/null`;
  const script = `${fill}; "$@"; code=$?; ls ${runtime.root}; exit $code`;
  const mount = "-t tmpfs -o size=64k,mode=700 tmpfs";
  const args = ["create", "--bundle", bundle.path, id];
  const { code, stdout, stderr } = await onRoot(runtime, mount, script, args);
  assertEquals({ code, stdout }, { code: 1, stdout: "" });
  assertMatch(
    stderr,
    /^runts: create "[^"]+": write "[^"]+": ENOSPC \(no space left on device\)\n$/,
  );
});

runtimeTest("fault: a state root without inodes", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const mount = "-t tmpfs -o nr_inodes=1,mode=700 tmpfs";
  const args = ["create", "--bundle", bundle.path, runtime.id()];
  const { code, stderr } = await onRoot(runtime, mount, '"$@"', args);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^runts: create "[^"]+": make state directory "[^"]+": ENOSPC \(no space left on device\)\n$/,
  );
});

runtimeTest("fault: a read-only state root", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const args = ["create", "--bundle", bundle.path, runtime.id()];
  const { code, stderr } = await onRoot(runtime, "-t tmpfs -o ro tmpfs", '"$@"', args);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^runts: create "[^"]+": make state directory "[^"]+": EROFS \(read-only file system\)/,
  );
});

runtimeTest("fault: too few descriptors, at any number", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle((config) => {
    idle(config);
    delete config.process.rlimits;
  });
  let failed = 0;
  for (const limit of [24, 28, 32, 36, 40, 48]) {
    const id = runtime.id();
    const args = ["create", "--bundle", bundle.path, id];
    const { code, stderr } = await through(runtime, `ulimit -n ${limit}; exec "$@"`, args);
    if (code === 0) await runtime.ok(["delete", "--force", id]);
    else failed++;
    assert(
      code === 0 || /EMFILE|[Tt]oo many open files|: raise RLIMIT_NOFILE from /.test(stderr),
      `${limit}: ${stderr}`,
    );
    assertEquals([...Deno.readDirSync(runtime.root)].filter(({ name }) => name === id), []);
  }
  assert(failed > 0, "no limit was too low");
});

runtimeTest("fault: a pid cgroup that is full", RUNTS_ONLY, async (runtime) => {
  const { code, stdout, stderr } = await runtime.container((config) => {
    config.linux.resources = { pids: { limit: 1 } };
    config.process.args = ["sh", "-c", "sleep 1 & wait"];
  });
  assertEquals({ code, stdout }, { code: 2, stdout: "" });
  assertMatch(stderr, /can't fork: Resource temporarily unavailable/);
  using bundle = new Bundle((config) => {
    idle(config);
    config.linux.resources = { pids: { limit: 1 } };
  });
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const executed = await runtime.run(["exec", id, "true"]);
  assert([0, 255].includes(executed.code), executed.stderr);
  assert(executed.code === 0 || /EAGAIN|EBUSY/.test(executed.stderr), executed.stderr);
  await runtime.ok(["delete", "--force", id]);
});

runtimeTest(
  "fault: hooks that hang, ignore their input, or leave somebody behind",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle((config) => {
      idle(config);
      config.annotations = { big: "x".repeat(500_000) };
    });
    const { config } = bundle;
    const hook = (script: string): Config => ({ path: "/bin/sh", args: ["sh", "-c", script] });
    const left = `${bundle.path}/left`;
    const leaving = hook(`sleep 1000 & echo $! >${left}; exit 0`);
    config.hooks = { createRuntime: [hook("exec <&-"), leaving] };
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    Deno.kill(Number(Deno.readTextFileSync(left)), "SIGKILL"); // nobody has waited for it
    await runtime.ok(["delete", "--force", id]);
    const sleep = `1000.${Deno.pid}`;
    config.hooks = { createRuntime: [{ ...hook(`trap '' TERM INT; sleep ${sleep}`), timeout: 1 }] };
    bundle.save();
    const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, runtime.id()]);
    assertEquals(code, 1);
    assertMatch(stderr, /hooks\.createRuntime\[0\]: hook "\/bin\/sh": timed out after 1 s\n$/);
    await until(
      "the hook is gone",
      () => !commandLines().some((line) => line.includes(`sleep\0${sleep}`)),
    );
  },
);

function commandLines(): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).map(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`);
    } catch {
      return ""; // it has ended
    }
  });
}

runtimeTest("fault: standard streams that are closed", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["sh", "-c", "ls /proc/self/fd >&2"]);
  for (const closed of ["<&-", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"]) {
    const { code } = await through(runtime, `exec "$@" ${closed}`, [
      "run",
      "--bundle",
      bundle.path,
      runtime.id(),
    ]);
    assertEquals({ closed, code }, { closed, code: 0 });
    const listed = await through(runtime, `exec "$@" ${closed}`, ["list"]);
    assert(listed.code === 0 || closed.includes(">&-"), `${closed}: ${listed.stderr}`);
  }
});

runtimeTest("fault: a reader that goes away", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle((config) => {
    config.process.args = ["sh", "-c", "while echo y; do :; done"];
  });
  const args = ["run", "--bundle", bundle.path, runtime.id()];
  const script = '"$@" | head -n 1; exit ${PIPESTATUS[0]}';
  const { code, stdout } = await through(runtime, script, args);
  // The shell is the first process of its pid namespace, which SIGPIPE does not kill.
  assertEquals({ code, stdout }, { code: 0, stdout: "y\n" });
  const listed = await through(runtime, '"$@" | :; exit 0', ["features"]);
  assertEquals(listed.code, 0);
});

/** Kills who is named by a hook of create; the container must then be removable. */
for (
  const [whom, kind, script] of [
    ["init at prestart", "prestart", "kill -9 $(grep -o '\"pid\":[0-9]*' | cut -d: -f2)"],
    ["init at createRuntime", "createRuntime", "kill -9 $(grep -o '\"pid\":[0-9]*' | cut -d: -f2)"],
    ["init at createContainer", "createContainer", "kill -9 $PPID"],
    ["runts at prestart", "prestart", "kill -9 $PPID"],
    ["runts at createRuntime", "createRuntime", "kill -9 $PPID"],
    ["runts at poststart", "poststart", "kill -9 $PPID"],
    ["init at startContainer", "startContainer", "kill -9 $PPID"],
  ] as const
) {
  runtimeTest(`fault: SIGKILL to ${whom}`, RUNTS_ONLY, async (runtime) => {
    using bundle = new Bundle((config) => {
      idle(config);
      const path = kind === "startContainer" ? "/bin/sh" : "/bin/bash";
      config.hooks = {
        [kind]: [{ path, args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"] }],
      };
      // A first process ignores what comes from its own namespace.
      if (kind === "startContainer" || kind === "createContainer") {
        config.linux.namespaces = config.linux.namespaces.filter((one: Config) =>
          one.type !== "pid"
        );
      }
    });
    const id = runtime.id();
    const made = await runtime.run(["create", "--bundle", bundle.path, id]);
    const started = ["poststart", "startContainer"].includes(kind);
    if (started) {
      assertEquals(made.code, 0, made.stderr);
      const { code, stderr } = await runtime.run(["start", id]);
      const message = "init ended before it executed the program: killed by SIGKILL";
      assertEquals(
        { code, stderr: asIfTold(stderr) },
        kind === "poststart"
          ? { code: 137, stderr: "" }
          : { code: 1, stderr: `runts: start "${id}": ${message}\n` },
      );
      const expected = kind === "poststart" ? "running" : "stopped";
      await until("it is settled", async () => (await runtime.state(id)).status === expected);
    } else {
      assert(made.code !== 0);
      if (whom.startsWith("init")) assertMatch(made.stderr, /(killed by|SIGKILL|signal 9)/);
    }
    await runtime.ok(["delete", "--force", id]);
    assertEquals(await runtime.ok(["list", "-q"]), "");
    await until("nobody is left", () => !hasProcesses(bundle));
  });
}

runtimeTest("fault: a clock that jumps between commands", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const file = `${runtime.root}/${id}/status`;
  const text = Deno.readTextFileSync(file);
  for (const created of ["1970-01-01T00:00:00Z", "2999-12-31T23:59:59Z"]) {
    Deno.writeTextFileSync(file, text.replace(/"created": "[^"]*"/, `"created": "${created}"`));
    const { status, created: shown } = await runtime.state(id);
    assertEquals({ status, shown }, { status: "running", shown: created });
    await runtime.ok(["list"]);
  }
  await runtime.ok(["delete", "--force", id]);
});

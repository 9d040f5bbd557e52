/** Commands killed before each change that they make, and commands that come between. */

import { assert, assertEquals } from "@std/assert";
import { containerPaths } from "../../../lib/cgroup/location.ts";
import { readStat } from "../../../lib/state/liveness.ts";
import { Bundle, idle } from "../../support/bundle.ts";
import { runtimeTest, type TestRuntime } from "../../support/host.ts";
import { cgroupHost } from "../../support/cgroups.ts";
import { exists } from "../../support/look.ts";
import { command, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { walk, withStops } from "../../support/stops.ts";
import { CHANGING, killBefore } from "../../support/strace.ts";

/** Directories of the container and its cgroup, fifos, the lock, the status. */
const LEAST = 6;

/** Kills a command before every change that it makes; gives how many there were. */
async function killBeforeEach(
  line: (id: string) => readonly string[],
  runtime: TestRuntime,
  prepare: (id: string) => Promise<unknown>,
): Promise<number> {
  let times = 0;
  for (const name of CHANGING) {
    let killed = true;
    for (let nth = 1; killed; nth++) {
      const id = runtime.id();
      await prepare(id);
      killed = await killBefore(
        [runtime.executable, "--root", runtime.root, ...line(id)],
        name,
        nth,
      );
      if (killed) times++;
      await runtime.assertRemovable(id);
    }
  }
  return times;
}

runtimeTest("SIGKILL before each change that create makes", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const line = (id: string) => ["create", "--bundle", bundle.path, id];
  const times = await killBeforeEach(line, runtime, () => Promise.resolve());
  assert(times > LEAST, `only ${times} changes were seen`);
});

runtimeTest("SIGKILL before each change that delete makes", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const line = (id: string) => ["delete", "--force", id];
  const times = await killBeforeEach(
    line,
    runtime,
    (id) => runtime.ok(["run", "--detach", "--bundle", bundle.path, id]),
  );
  assert(times > LEAST, `only ${times} changes were seen`);
});

/**
 * A process in the cgroup where runts looks for those of a container with this path, or of this id.
 * It and the cgroup must be there when the body has ended.
 */
async function withStranger(
  id: string,
  cgroupsPath: string | undefined,
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const paths = containerPaths(cgroupHost(), id, cgroupsPath);
  const directory = paths["freezer"] ?? paths[""]!;
  const stranger = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  try {
    Deno.mkdirSync(directory);
    Deno.writeTextFileSync(`${directory}/cgroup.procs`, String(stranger.pid));
    await body(directory);
    const members = Deno.readTextFileSync(`${directory}/cgroup.procs`);
    assertEquals(members, `${stranger.pid}\n`);
    const { state } = readStat(stranger.pid) ?? {};
    assert(state !== undefined && !"ZX".includes(state), "it was killed");
  } finally {
    try {
      stranger.kill("SIGKILL");
    } catch {
      // the test has failed
    }
    await stranger.status;
    await until("its cgroup is empty", () => {
      return Deno.readTextFileSync(`${directory}/cgroup.procs`) === "";
    });
    Deno.removeSync(directory);
  }
}

runtimeTest(
  "a create killed before it had its cgroup leaves others in it alone",
  RUNTS_ONLY,
  async (runtime) => {
    const id = runtime.id();
    const cgroupsPath = `/${id}-shared`;
    using bundle = new Bundle((config) => {
      idle(config);
      config.linux.cgroupsPath = cgroupsPath;
    });
    await withStranger(id, cgroupsPath, async (directory) => {
      const line = [runtime.executable, "--root", runtime.root, "create", "--bundle", bundle.path];
      assert(await killBefore([...line, id], "mkdir", 1, directory), "it was not killed");
      assertEquals((await runtime.state(id)).status, "stopped");
      await runtime.ok(["delete", "--force", id]);
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    });
  },
);

runtimeTest(
  "a directory without a record leaves a cgroup of its name alone",
  RUNTS_ONLY,
  async (runtime) => {
    const id = runtime.id();
    await withStranger(id, undefined, async () => {
      Deno.mkdirSync(`${runtime.root}/${id}`);
      await runtime.ok(["delete", "--force", id]);
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    });
  },
);

runtimeTest(
  "a delete and another create between mkdir and lock of a create",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle(idle);
    const line = [...await withStops(bundle.path), "--root", runtime.root];
    const now = (...args: string[]) => {
      const whole = ["--root", runtime.root, ...args];
      const stdio = { stdin: "null", stdout: "null", stderr: "null" } as const;
      const { code } = new Deno.Command(runtime.executable, { args: whole, ...stdio }).outputSync();
      assertEquals(code, 0, args.join(" "));
    };
    for (const again of [false, true]) {
      const id = runtime.id();
      const create = ["create", "--bundle", bundle.path, id];
      const { code, stderr } = await walk([...line, ...create], ({ name }) => {
        if (name !== "@lock") return undefined;
        now("delete", "--force", id);
        if (again) now(...create);
        return undefined;
      });
      const message = again
        ? "container with given ID already exists"
        : "another command has deleted the container before it was made";
      assertEquals({ code, stderr }, { code: 1, stderr: `runts: create "${id}": ${message}\n` });
      if (again) assertEquals((await runtime.state(id)).status, "created");
      await runtime.ok(["delete", "--force", id]);
    }
  },
);

runtimeTest(
  "a delete that comes while another one removes the directory",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle();
    const log = `${bundle.path}/log`;
    const hook = { path: "/bin/sh", args: ["sh", "-c", `echo poststop >>${log}`] };
    bundle.config.hooks = { poststop: [hook] };
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const directory = `${runtime.root}/${id}`;
    const slow = ["-e", "trace=rmdir", "-e", "inject=rmdir:delay_enter=1000000", "-P", directory];
    const line = [runtime.executable, "--root", runtime.root, "delete", id];
    const first = command(["strace", "-o", "/dev/null", ...slow, ...line]);
    await until("the lock is gone", () => !exists(`${directory}/lock`));
    const late = await runtime.run(["delete", id]);
    assertEquals(await first, { code: 0, stdout: "", stderr: "" });
    const stderr = `runts: delete "${id}": container does not exist\n`;
    assertEquals(late, { code: 1, stdout: "", stderr });
    assertEquals(Deno.readTextFileSync(log), "poststop\n");
  },
);

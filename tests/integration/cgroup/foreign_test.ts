/** Cgroups and units that runts did not make: it takes none for the container's. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import {
  cgroupHost,
  cgroupsOf,
  cgroupTest,
  everyPath,
  freezerPath,
  hostHas,
  ownCgroups,
} from "../../support/cgroups.ts";
import { exists } from "../../support/look.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, until } from "../../support/runtime.ts";
import { OwnCgroup, Stranger } from "../../support/strangers.ts";

const SYSTEMD = ["--systemd-cgroup"];

/** A bundle whose container sleeps, in a scope or in a cgroup of its own. */
function sleeping(id: string, scope: boolean): Bundle {
  return new Bundle((config) => {
    config.process.args = ["sleep", "1000"];
    config.linux.cgroupsPath = scope ? `system.slice:runts:${id}` : `/${id}`;
  });
}

function place(id: string, scope: boolean): string {
  return scope ? `/system.slice/runts-${id}.scope` : `/${id}`;
}

/** Hierarchies that systemd makes the scope in, and of others: the stranger is in one of them. */
cgroupTest("a scope whose directory has a stranger is refused", ["systemd"], async () => {
  const controllers = ["", "name=systemd", "memory", "freezer"];
  for (const { controller, mountPoint: directory } of cgroupHost().hierarchies) {
    if (!controllers.includes(controller)) continue;
    await withRuntime(async (runtime) => {
      const id = runtime.id();
      using bundle = sleeping(id, true);
      const path = directory + place(id, true);
      await using _cgroup = new OwnCgroup(path);
      await using stranger = new Stranger(path);
      for (const verb of ["create", "run"]) {
        const output = await runtime.run([...SYSTEMD, verb, "--bundle", bundle.path, id]);
        assertEquals({ code: output.code, stderr: output.stderr }, {
          code: 1,
          stderr: `runts: ${verb} "${id}": linux.cgroupsPath: use cgroup "${path}": it is not ` +
            `empty: 1 process in it: ${stranger.pid} ("sleep"): give the container a cgroup of ` +
            "its own, or wait until they have ended\n",
        });
        assertEquals([stranger.isAlive, await runtime.ok(["list", "--quiet"])], [true, ""]);
      }
    });
  }
});

cgroupTest("a scope that is frozen, or in a frozen slice, is refused", ["systemd"], async () => {
  for (const inSlice of [false, true]) {
    await withRuntime(async (runtime) => {
      const id = runtime.id();
      using bundle = sleeping(id, true);
      const slice = `runtstest${id.replaceAll("-", "")}.slice`;
      if (inSlice) {
        bundle.config.linux.cgroupsPath = `${slice}:runts:${id}`;
        bundle.save();
      }
      await using cgroup = new OwnCgroup(freezerPath(inSlice ? `/${slice}` : place(id, true)));
      await cgroup.freeze();
      const output = await runtime.run([...SYSTEMD, "run", "--bundle", bundle.path, id]);
      const why = inSlice
        ? `use cgroup "${cgroup.directory}/runts-${id}.scope": cgroup "${cgroup.directory}" above ` +
          "it is frozen: thaw that one"
        : `use cgroup "${cgroup.directory}": it is frozen: thaw it`;
      assertEquals({ code: output.code, stderr: output.stderr }, {
        code: 1,
        stderr:
          `runts: run "${id}": linux.cgroupsPath: ${why}, or give the container another one\n`,
      });
      await cgroup.thaw();
    });
  }
});

cgroupTest("a scope whose directory is empty is used", ["systemd"], async () => {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = sleeping(id, true);
    await using _cgroup = new OwnCgroup(freezerPath(place(id, true)));
    await runtime.ok([...SYSTEMD, "run", "--detach", "--bundle", bundle.path, id]);
    await runtime.ok(["delete", "--force", id]);
  });
});

/** Ends init, and waits until the container is stopped. */
async function end(runtime: TestRuntime, id: string): Promise<void> {
  await runtime.ok(["kill", id, "KILL"]);
  await runtime.untilStopped(id);
}

/** Runs a container that sleeps; the test is to delete it. */
async function withSleeping(
  scope: boolean,
  body: (runtime: TestRuntime, id: string, pid: number, bundle: Bundle) => Promise<void>,
): Promise<void> {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = sleeping(id, scope);
    const options = scope ? SYSTEMD : [];
    await runtime.ok([...options, "run", "--detach", "--bundle", bundle.path, id]);
    await body(runtime, id, (await runtime.state(id)).pid, bundle);
  });
}

for (const scope of [false, true]) {
  const name = `what has taken the ${scope ? "scope's" : "cgroup's"} name is left alone`;
  cgroupTest(name, scope ? ["systemd"] : [], async () => {
    await withSleeping(scope, async (runtime, id, pid) => {
      const own = ownCgroups(pid, id);
      await end(runtime, id);
      await until("the cgroup is empty", () => own.every(isRemoved));
      await using others = new AsyncDisposableStack();
      for (const path of everyPath(place(id, scope))) others.use(new OwnCgroup(path));
      await using stranger = new Stranger(freezerPath(place(id, scope)));
      assertEquals(await runtime.ok(["ps", "--format", "json", id]), "[]\n");
      await runtime.ok(["kill", "--all", id, "KILL"]);
      await runtime.ok(["delete", id]);
      assertEquals(stranger.isAlive, true);
    });
  });
}

cgroupTest("delete of a stopped container leaves nothing of its scope", ["systemd"], async () => {
  await withSleeping(true, async (runtime, id, pid) => {
    const own = ownCgroups(pid, id);
    await end(runtime, id);
    await runtime.ok(["delete", id]);
    assertEquals(own.filter(exists), []);
  });
});

cgroupTest("another container that has taken an empty cgroup is left alone", [], async () => {
  await withSleeping(false, async (runtime, id, pid, bundle) => {
    const heir = runtime.id();
    const own = ownCgroups(pid, id);
    await end(runtime, id);
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, heir]);
    await runtime.ok(["kill", "--all", id, "KILL"]);
    const { code, stderr } = await runtime.run(["delete", id]);
    assertEquals({ code, stderr }, {
      code: 0,
      stderr: `runts: warning: container "${heir}" is in its cgroup now, which stays\n`,
    });
    assertEquals((await runtime.state(heir)).status, "running");
    await runtime.ok(["delete", "--force", heir]);
    assertEquals(own.filter(exists), []);
  });
});

function isRemoved(directory: string): boolean {
  try {
    Deno.removeSync(directory);
  } catch {
    // it is gone, or somebody still ends in it
  }
  return !exists(directory);
}

for (const scope of [false, true]) {
  const name = `a container goes on without its ${scope ? "scope" : "cgroup"}`;
  cgroupTest(name, scope ? ["v2", "systemd"] : [], async () => {
    await withSleeping(scope, async (runtime, id, pid) => {
      const own = ownCgroups(pid, id);
      await using others = new AsyncDisposableStack();
      for (const path of everyPath(`/${id}-other`)) {
        others.use(new OwnCgroup(path));
        if (!path.includes("/cpuset/")) Deno.writeTextFileSync(`${path}/cgroup.procs`, String(pid));
        else moveOut(path, pid);
      }
      await until("the cgroup is gone", () => own.every(isRemoved));
      const main = freezerPath(place(id, scope));
      const gone = `use cgroup "${main}": somebody has removed it from under the container: its ` +
        "processes were moved to other cgroups before\n";
      for (const words of [["pause", id], ["update", "--pids-limit", "9", id]]) {
        const { code, stderr } = await runtime.run(words);
        assertEquals([code, stderr], [1, `runts: ${words[0]} "${id}": ${gone}`]);
      }
      const stats = await runtime.run(["events", "--stats", id]);
      assertEquals(
        stats.stderr,
        `runts: events "${id}": read statistics: somebody has removed the container's cgroup, ` +
          `"${main}"\n`,
      );
      const further = await runtime.sleepInside(id);
      assertEquals(cgroupsOf(further), cgroupsOf(pid));
      const pids = JSON.parse(await runtime.ok(["ps", "--format", "json", id]));
      assertEquals(pids.sort(), [pid, further].sort());
      await runtime.ok(["kill", "--all", id, "KILL"]);
      await runtime.untilStopped(id);
      await runtime.ok(["delete", id]);
      if (scope) {
        const line = ["systemctl", "is-active", `runts-${id}.scope`];
        // systemd itself has to notice that its cgroup has gone.
        await until("its unit ends", async () => (await command(line)).stdout === "inactive\n");
      }
    });
  });
}

cgroupTest("exec follows init in the one hierarchy that has lost its cgroup", ["v1"], async () => {
  await withSleeping(false, async (runtime, id, pid) => {
    const own = cgroupsOf(pid)["pids"]!;
    await using other = new OwnCgroup(`${own}-other`);
    Deno.writeTextFileSync(`${other.directory}/cgroup.procs`, String(pid));
    await until("the cgroup is gone", () => isRemoved(own));
    const further = await runtime.sleepInside(id);
    assertEquals(cgroupsOf(further), cgroupsOf(pid));
    const { stderr } = await runtime.run(["update", "--pids-limit", "9", id]);
    assertEquals(
      stderr,
      `runts: update "${id}": pids.limit: use cgroup controller "pids": the container has no ` +
        "cgroup in its hierarchy\n",
    );
    await runtime.ok(["delete", "--force", id]);
  });
});

cgroupTest("an init that was moved out of its cgroup is the container's still", [], async () => {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = sleeping(id, false);
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    await using others = new AsyncDisposableStack();
    const { pid } = await runtime.state(id);
    await using stays = new OwnCgroup(`${freezerPath(place(id, false))}/stays`);
    assertEquals(exists(stays.directory), true);
    const directory = `${freezerPath(place(id, false))}-other`;
    others.use(new OwnCgroup(directory));
    Deno.writeTextFileSync(`${directory}/cgroup.procs`, String(pid));
    assertEquals(JSON.parse(await runtime.ok(["ps", "--format", "json", id])), [pid]);
    await runtime.ok(["kill", "--all", id, "KILL"]);
    await until("it has ended", async () => (await runtime.state(id)).status === "stopped");
    assertEquals(JSON.parse(await runtime.ok(["ps", "--format", "json", id])), []);
    await runtime.ok(["delete", id]);
  });
});

/** A cpuset of v1 has no cpus of its own yet. */
function moveOut(path: string, pid: number): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  for (const file of hostHas("v1") ? ["cpuset.cpus", "cpuset.mems"] : []) {
    Deno.writeTextFileSync(`${path}/${file}`, Deno.readTextFileSync(`${parent}/${file}`));
  }
  Deno.writeTextFileSync(`${path}/cgroup.procs`, String(pid));
}

/** The life of a container's cgroup: where it is, who may be in it, pausing, and its end. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { removeDirectories } from "../../../lib/cgroup/clear.ts";
import { hierarchyOf } from "../../../lib/cgroup/hierarchies.ts";
import { Bundle, type Config, idle } from "../../support/bundle.ts";
import {
  cgroupsOf,
  cgroupTest,
  everyPath,
  freezerPath,
  withContainer,
} from "../../support/cgroups.ts";
import { exists } from "../../support/look.ts";
import { isRunning, type TestRuntime, withRuntime } from "../../support/host.ts";
import { until } from "../../support/runtime.ts";

cgroupTest("an absolute cgroupsPath is below every hierarchy's mount point", [], async (host) => {
  await withContainer((config, id) => config.linux.cgroupsPath = `/${id}`, async (_, id, pid) => {
    const places = host.hierarchies.map(({ controller, mountPoint }) => [
      controller,
      `${mountPoint}/${id}`,
    ]);
    assertEquals(cgroupsOf(pid), Object.fromEntries(places));
    await Promise.resolve();
  });
});

cgroupTest("without cgroupsPath the cgroup is named after the container", [], async (host) => {
  await withContainer(() => {}, async (_, id, pid) => {
    const paths = cgroupsOf(pid);
    for (const { controller, mountPoint, own } of host.hierarchies) {
      const base = host.mode === "v2" ? own.slice(0, Math.max(0, own.lastIndexOf("/"))) : own;
      assertEquals(paths[controller], `${mountPoint}${base}/${id}`);
    }
    await Promise.resolve();
  });
});

cgroupTest("create refuses a cgroup that somebody is in, and leaves it alone", [], async (host) => {
  // The one of v2 is made first, for init to be born there.
  const { mountPoint } = hierarchyOf(host, "") ?? host.hierarchies[0]!;
  const at = (config: Config, id: string) => config.linux.cgroupsPath = `/${id}`;
  await withContainer(at, async (runtime, id, pid) => {
    using bundle = new Bundle((config) => config.linux.cgroupsPath = `/${id}`);
    const other = runtime.id();
    const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, other]);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `runts: create "${other}": linux.cgroupsPath: use cgroup "${mountPoint}/${id}": it ` +
        `is not empty: 1 process in it: ${pid} ("sleep"): give the container a cgroup of its own, or ` +
        "wait until they have ended\n",
    );
    assertEquals((await runtime.state(id)).status, "running");
  });
});

cgroupTest("create refuses a frozen cgroup, and leaves it alone", [], async (host) => {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    const directory = freezerPath(`/${id}`);
    Deno.mkdirSync(directory);
    try {
      const [file, on] = host.mode === "v2" ? ["cgroup.freeze", "1"] : ["freezer.state", "FROZEN"];
      Deno.writeTextFileSync(`${directory}/${file}`, on);
      using bundle = new Bundle((config) => config.linux.cgroupsPath = `/${id}`);
      const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
      assertEquals({ code, stderr }, {
        code: 1,
        stderr: `runts: create "${id}": linux.cgroupsPath: use cgroup "${directory}": it is ` +
          "frozen: thaw it, or give the container another one\n",
      });
      assertEquals(everyPath(`/${id}`).filter(exists), [directory]);
    } finally {
      Deno.removeSync(directory);
    }
  });
});

cgroupTest("pause and resume, also when a cgroup inside is frozen too", [], async (host) => {
  await withContainer((config, id) => config.linux.cgroupsPath = `/${id}`, async (runtime, id) => {
    const nested = `${freezerPath(`/${id}`)}/inner`;
    Deno.mkdirSync(nested);
    await runtime.ok(["pause", id]);
    assertEquals((await runtime.state(id)).status, "paused");
    const refused = await runtime.run(["exec", id, "true"]);
    assertEquals(refused.code === 0, false);
    assertStringIncludes(refused.stderr, "paused");
    const [file, on] = host.mode === "v2" ? ["cgroup.freeze", "1"] : ["freezer.state", "FROZEN"];
    Deno.writeTextFileSync(`${nested}/${file}`, on);
    await runtime.ok(["resume", id]);
    assertEquals((await runtime.state(id)).status, "running");
    const off = host.mode === "v2" ? "0" : "THAWED";
    assertEquals(Deno.readTextFileSync(`${nested}/${file}`).trim(), off);
  });
});

cgroupTest(
  "delete --force thaws, kills and removes cgroups below the container's",
  [],
  async () => {
    await withContainer(
      (config, id) => config.linux.cgroupsPath = `/${id}`,
      async (runtime, id, pid) => {
        for (const directory of everyPath(`/${id}`)) {
          Deno.mkdirSync(`${directory}/a/b`, { recursive: true });
        }
        await runtime.ok(["pause", id]);
        await runtime.ok(["delete", "--force", id]);
        assertEquals(isRunning(pid), false);
        assertEquals(everyPath(`/${id}`).filter(exists), []);
      },
    );
  },
);

/** Without a pid namespace, processes outlive init. */
function shared(config: Config): void {
  config.linux.namespaces = config.linux.namespaces.filter(
    ({ type }: { type: string }) => type !== "pid",
  );
  config.process.args = ["sh", "-c", "sleep 1000 & sleep 1001; true"];
}

/** Runs a container and kills its init; `pids` are all that were in it. */
async function withSurvivors(
  body: (runtime: TestRuntime, id: string, pids: readonly number[]) => Promise<void>,
): Promise<void> {
  await withContainer(shared, async (runtime, id, pid) => {
    const members = async () => JSON.parse(await runtime.ok(["ps", "--format", "json", id]));
    await until("all have started", async () => (await members()).length === 3);
    const pids: number[] = await members();
    Deno.kill(pid, "SIGKILL");
    await runtime.untilStopped(id);
    await body(runtime, id, pids);
  });
}

cgroupTest("processes that outlive init are killed with the container", [], async () => {
  await withSurvivors(async (runtime, id, pids) => {
    await runtime.ok(["kill", "--all", id, "KILL"]);
    await until("all are gone", () => !pids.some(isRunning));
    await runtime.ok(["kill", "--all", id, "KILL"]);
    await runtime.ok(["delete", id]);
  });
});

cgroupTest("delete of a stopped container takes processes that init left behind", [], async () => {
  await withSurvivors(async (runtime, id, pids) => {
    await runtime.ok(["delete", id]);
    await until("all are gone", () => !pids.some(isRunning));
  });
});

// As an init is on its way whose creator has been killed.
cgroupTest("delete takes a process that has not entered every hierarchy yet", ["v1"], async () => {
  await withContainer(shared, async (runtime, id, pid) => {
    const late = await runtime.sleepInside(id);
    const { "": unified, ...others } = cgroupsOf(pid);
    if (unified === undefined) return; // a host without that hierarchy
    for (const path of Object.values(others)) {
      Deno.writeTextFileSync(`${path.slice(0, path.lastIndexOf("/"))}/cgroup.procs`, String(late));
    }
    await runtime.ok(["delete", "--force", id]);
    await until("it is gone", () => !isRunning(late));
  });
});

cgroupTest(
  "a cgroup that cannot be removed is an error that names who is in it",
  [],
  async (host) => {
    const directory = `${host.hierarchies[0]?.mountPoint}/t${Deno.pid}-busy`;
    Deno.mkdirSync(directory);
    const child = new Deno.Command("/bin/sleep", { args: ["1000"] }).spawn();
    try {
      if (host.hierarchies[0]?.controller === "cpuset") throw new Error("no plain hierarchy first");
      Deno.writeTextFileSync(`${directory}/cgroup.procs`, String(child.pid));
      const error = await removeDirectories([directory]).then(() => undefined, (error) => error);
      assertEquals(
        error?.message,
        `remove cgroup "${directory}": EBUSY (device or resource busy): still in it: ` +
          `${child.pid} ("/bin/sleep 1000")`,
      );
    } finally {
      child.kill("SIGKILL");
      await child.status;
      await removeDirectories([directory]);
    }
    assertEquals(exists(directory), false);
  },
);

cgroupTest("--cgroup-manager=disabled makes no cgroup", [], async () => {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = new Bundle(idle);
    await runtime.ok(["--cgroup-manager=disabled", "create", "--bundle", bundle.path, id]);
    assertEquals(everyPath(`/${id}`).filter(exists), []);
    const { pid } = await runtime.state(id);
    assertEquals(cgroupsOf(pid), cgroupsOf(Deno.pid));
    const refused = await runtime.run(["pause", id]);
    assertEquals(
      refused.stderr,
      `runts: pause "${id}": cannot pause it: the container has no cgroup of its own\n`,
    );
    await runtime.ok(["start", id]);
    assertEquals(await runtime.ok(["exec", id, "echo", "in"]), "in\n");
    const below = await runtime.run(["exec", "--cgroup", "sub", id, "true"]);
    assertEquals(
      below.stderr,
      `runts: exec "${id}": cannot enter a cgroup below it: the container has no cgroup of its own\n`,
    );
    await runtime.ok(["delete", "--force", id]);
  });
});

cgroupTest("a limit of memory that is too small to start says so", [], async () => {
  await withRuntime(async (runtime) => {
    const output = await runtime.container((config) => {
      config.linux.resources = { memory: { limit: 4096, swap: 4096 } };
    });
    assertEquals(output.code, 1);
    assertStringIncludes(output.stderr, "out of memory: the limit of 4096 bytes is too low");
  });
});

cgroupTest(
  "exec and create enter a cgroup, then a cgroup namespace that is there",
  [],
  async () => {
    const edit = (config: Config, id: string) => {
      config.linux.cgroupsPath = `/${id}`;
      config.linux.namespaces.push({ type: "cgroup" });
    };
    await withContainer(edit, async (runtime, id, pid) => {
      const lines = (await runtime.ok(["exec", id, "cat", "/proc/self/cgroup"])).trim().split("\n");
      assertEquals([...new Set(lines.map((line) => line.split(":")[2]))], ["/"]);
      const output = await runtime.container((config) => {
        config.linux.namespaces.push({ type: "cgroup", path: `/proc/${pid}/ns/cgroup` });
        config.process.args = ["readlink", "/proc/self/ns/cgroup"];
      });
      assertEquals(output, {
        code: 0,
        stdout: `${Deno.readLinkSync(`/proc/${pid}/ns/cgroup`)}\n`,
        stderr: "",
      });
    });
  },
);

cgroupTest("exec enters the cgroup that it is told, and none outside", [], async () => {
  await withContainer((config, id) => config.linux.cgroupsPath = `/${id}`, async (runtime, id) => {
    for (const directory of everyPath(`/${id}`)) Deno.mkdirSync(`${directory}/sub`);
    const cpuset = everyPath(`/${id}`).find((path) => path.includes("/cpuset/"));
    if (cpuset) {
      for (const name of ["cpuset.cpus", "cpuset.mems"]) {
        Deno.copyFileSync(`${cpuset}/${name}`, `${cpuset}/sub/${name}`);
      }
    }
    const args = ["exec", "--cgroup", "sub", id, "cat", "/proc/self/cgroup"];
    const lines = (await runtime.ok(args)).trim().split("\n");
    const paths = lines.map((line) => line.split(":")[2]);
    assertEquals([...new Set(paths)].filter((path) => path !== "/"), [`/${id}/sub`]);
    const { stderr } = await runtime.run(["exec", "--cgroup", "../..", id, "true"]);
    assertStringIncludes(stderr, "it leads out of the container's cgroup by");
  });
});

cgroupTest(
  "exec goes where init is when the container has divided its cgroup",
  ["v2"],
  async () => {
    await withContainer(
      (config, id) => config.linux.cgroupsPath = `/${id}`,
      async (runtime, id, pid) => {
        const directory = `${everyPath(`/${id}`)[0]}`;
        Deno.mkdirSync(`${directory}/inner`);
        Deno.writeTextFileSync(`${directory}/inner/cgroup.procs`, String(pid));
        Deno.writeTextFileSync(`${directory}/cgroup.subtree_control`, "+pids");
        const place = await runtime.ok(["exec", id, "cat", "/proc/self/cgroup"]);
        assertEquals(place, `0::/${id}/inner\n`);
        assertEquals(JSON.parse(await runtime.ok(["ps", "--format", "json", id])), [pid]);
      },
    );
  },
);

cgroupTest("a cgroup above with processes of its own stays a domain", ["v2"], async (host) => {
  const { mountPoint } = host.hierarchies[0]!;
  const above = `${mountPoint}/runts-busy-${Deno.pid}`;
  Deno.mkdirSync(above);
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  try {
    Deno.writeTextFileSync(`${above}/cgroup.procs`, String(child.pid));
    const name = above.slice(mountPoint.length);
    const at = (config: Config, id: string) => config.linux.cgroupsPath = `${name}/${id}`;
    await withContainer(at, async (runtime, id, pid) => {
      assertEquals(cgroupsOf(pid)[""], `${above}/${id}`);
      const kinds = [above, `${above}/${id}`].map((path) =>
        Deno.readTextFileSync(`${path}/cgroup.type`)
      );
      assertEquals(kinds, ["domain\n", "domain\n"]);
      using limited = new Bundle((config) => {
        config.linux.cgroupsPath = `${name}/limited`;
        config.linux.resources = { pids: { limit: 9 } };
      });
      const { code, stderr } = await runtime.run(["create", "--bundle", limited.path, "limited"]);
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        `write "+pids" to "${above}/cgroup.subtree_control": EBUSY (device or resource busy): the ` +
          "cgroup holds processes of its own",
      );
    });
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await removeDirectories([above]);
  }
});

cgroupTest("the cgroup belongs to the container's root if it may write there", ["v2"], async () => {
  const edit = (config: Config) => {
    config.process.user = { uid: 1000, gid: 1000 };
    config.linux.namespaces.push({ type: "cgroup" });
    config.mounts.push({
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: ["nosuid", "noexec", "nodev"],
    });
  };
  await withContainer(edit, async (_, __, pid) => {
    const directory = cgroupsOf(pid)[""];
    const owners = ["", "/cgroup.procs", "/cgroup.subtree_control", "/pids.max"].map((name) =>
      Deno.statSync(`${directory}${name}`).uid
    );
    assertEquals(owners, [1000, 1000, 1000, 0]);
    await Promise.resolve();
  });
});

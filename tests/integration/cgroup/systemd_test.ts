/** Containers in scopes of systemd. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import {
  cgroupsOf,
  cgroupTest,
  held,
  lingeringUser,
  withContainer,
} from "../../support/cgroups.ts";
import { userNamespace } from "../../support/inside.ts";
import { exists } from "../../support/look.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, type Output, RUNTIME } from "../../support/runtime.ts";

const MiB = 2 ** 20;

/** Values of a unit's properties, as `systemctl show` has them. */
async function properties(
  unit: string,
  names: readonly string[],
  show = (args: readonly string[]) => command(["systemctl", ...args]),
): Promise<Record<string, string>> {
  const { stdout } = await show(["show", unit, "-p", names.join(",")]);
  const pairs = stdout.trim().split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2));
  return Object.fromEntries(pairs);
}

async function withScope(
  edit: (config: Config, id: string) => void,
  body: (runtime: TestRuntime, id: string, pid: number) => Promise<void>,
): Promise<void> {
  let unit = "";
  await withContainer(edit, async (runtime, id, pid) => {
    unit = `runts-${id}.scope`;
    await body(runtime, id, pid);
  }, { slice: "runtstest-a.slice" });
  assertEquals(await properties(unit, ["LoadState"]), { LoadState: "not-found" });
}

cgroupTest(
  "a scope is in its slice, delegated, and has the limits",
  ["v2", "systemd"],
  async () => {
    const edit = (config: Config) => {
      config.annotations = {
        "org.systemd.property.TimeoutStopUSec": "uint64 3000000",
        "org.systemd.property.CollectMode": "'inactive-or-failed'",
      };
      config.linux.resources = {
        memory: { limit: 96 * MiB, swap: 128 * MiB },
        cpu: { quota: 25500, period: 50000, shares: 512, cpus: "0" },
        pids: { limit: 33 },
      };
    };
    await withScope(edit, async (_, id, pid) => {
      const path = `/runtstest.slice/runtstest-a.slice/runts-${id}.scope`;
      assertEquals(cgroupsOf(pid), { "": `/sys/fs/cgroup${path}` });
      const names = ["memory.max", "memory.swap.max", "cpu.max", "cpu.weight", "pids.max"];
      const limits = () => names.map((name) => held(pid, "", name));
      const expected = [String(96 * MiB), String(32 * MiB), "25500 50000", "59", "33"];
      assertEquals(limits(), expected);
      const wanted = {
        Slice: "runtstest-a.slice",
        Delegate: "yes",
        MemoryMax: String(96 * MiB),
        MemorySwapMax: String(32 * MiB),
        CPUQuotaPerSecUSec: "510ms",
        CPUWeight: "59",
        TasksMax: "33",
        AllowedCPUs: "0",
        TimeoutStopUSec: "3s",
        CollectMode: "inactive-or-failed",
        Description: `runts container ${id}`,
      };
      assertEquals(await properties(`runts-${id}.scope`, Object.keys(wanted)), wanted);
      await command(["systemctl", "daemon-reload"]);
      assertEquals(limits(), expected);
    });
  },
);

cgroupTest("processes live in a sub-cgroup of the scope", ["v2", "systemd"], async () => {
  const edit = (config: Config) => {
    config.annotations = { "run.oci.systemd.subgroup": "inner" };
    config.linux.resources = { pids: { limit: 33 } };
    config.linux.namespaces.push({ type: "cgroup" });
  };
  await withScope(edit, async (runtime, id, pid) => {
    const scope = `/sys/fs/cgroup/runtstest.slice/runtstest-a.slice/runts-${id}.scope`;
    const read = (path: string) => Deno.readTextFileSync(`${scope}/${path}`).trim();
    assertEquals(cgroupsOf(pid), { "": `${scope}/inner` });
    assertEquals(read("cgroup.procs"), "");
    assertEquals([read("pids.max"), read("inner/pids.max")], ["33", "max"]);
    // The root of the container's cgroup namespace is the sub-cgroup.
    const inside = await runtime.ok(["exec", id, "cat", "/proc/self/cgroup"]);
    assertEquals(inside, "0::/\n");
    await runtime.ok(["exec", "--detach", id, "sleep", "1000"]);
    assertEquals(read("inner/cgroup.procs").split("\n").length, 2);
    // What --cgroup names is below the sub-cgroup.
    const outside = await runtime.run(["exec", "--cgroup", "inner", id, "true"]);
    assertEquals(
      outside.stderr,
      `runts: exec "${id}": enter cgroup "inner/inner": there is no "${scope}/inner/inner"\n`,
    );
    Deno.mkdirSync(`${scope}/inner/more`);
    const more = await runtime.ok(["exec", "--cgroup", "more", id, "cat", "/proc/self/cgroup"]);
    assertEquals(more, "0::/more\n");
    assertEquals(JSON.parse(await runtime.ok(["ps", "--format", "json", id])).length, 2);
    await runtime.ok(["pause", id]);
    assertEquals([read("cgroup.freeze"), (await runtime.state(id)).status], ["1", "paused"]);
    await runtime.ok(["resume", id]);
    await runtime.ok(["update", "--pids-limit", "12", id]);
    assertEquals(read("pids.max"), "12");
    const stats = JSON.parse(await runtime.ok(["events", "--stats", id]));
    assertEquals([stats.data.pids.current, stats.data.pids.limit], [2, 12]);
  });
});

cgroupTest("a cgroup is delegated below the sub-cgroup", ["v2", "systemd"], async () => {
  const edit = (config: Config) => {
    config.annotations = { "run.oci.delegate-cgroup": "own" };
    config.linux.resources = { pids: { limit: 33 } };
    config.linux.namespaces.push({ type: "cgroup" });
    config.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup" });
    userNamespace(config);
  };
  await withScope(edit, async (runtime, id, pid) => {
    const scope = `/sys/fs/cgroup/runtstest.slice/runtstest-a.slice/runts-${id}.scope`;
    const read = (path: string) => Deno.readTextFileSync(`${scope}/${path}`).trim();
    assertEquals(cgroupsOf(pid), { "": `${scope}/container/own` });
    assertEquals([read("pids.max"), read("container/own/pids.max")], ["33", "max"]);
    // What the payload manages is its own, and nothing above it.
    const owners = ["container/own", "container", "."].map((path) =>
      Deno.statSync(`${scope}/${path}`).uid
    );
    assertEquals(owners, [100_000, 0, 0]);
    // The cgroup namespace was made above it.
    const where = ["cat", "/proc/self/cgroup"];
    assertEquals(await runtime.ok(["exec", id, ...where]), "0::/own\n");
    await runtime.ok(["update", "--pids-limit", "12", id]);
    assertEquals([read("pids.max"), read("container/own/pids.max")], ["12", "max"]);
    await runtime.ok(["pause", id]);
    await runtime.ok(["resume", id]);
  });
});

cgroupTest("a sub-cgroup of the scope has a plain name", ["v2", "systemd"], async () => {
  for (const name of ["..", "a/b", "cgroup.procs"]) {
    await withRuntime(async (runtime) => {
      const id = runtime.id();
      using bundle = new Bundle((config) => {
        config.annotations = { "run.oci.systemd.subgroup": name };
        config.linux.cgroupsPath = `system.slice:runts:${id}`;
      });
      const { code, stderr } = await runtime.run(
        ["--systemd-cgroup", "create", "--bundle", bundle.path, id],
      );
      const scope = `/sys/fs/cgroup/system.slice/runts-${id}.scope`;
      const why = name === "cgroup.procs"
        ? `make cgroup "${scope}/${name}": the scope has a file or a cgroup of this name`
        : `use cgroup "${name}": it is no plain name`;
      assertEquals({ code, stderr }, {
        code: 1,
        stderr: `runts: create "${id}": annotations["run.oci.systemd.subgroup"]: ${why}\n`,
      });
      assertEquals(exists(scope), false);
    });
  }
});

cgroupTest("device rules survive a daemon-reload", ["systemd"], async () => {
  const edit = (config: Config) => {
    config.linux.resources = {
      devices: [{ allow: false, access: "rwm" }, { allow: true, type: "c", major: 1, minor: 12 }],
    };
    config.linux.devices = [
      { type: "c", path: "/dev/none", major: 1, minor: 12 },
      { type: "c", path: "/dev/denied", major: 1, minor: 13 },
    ];
  };
  await withScope(edit, async (runtime, id) => {
    const script = "cat /dev/none; cat /dev/denied; cat /dev/null";
    const refused = "cat: can't open '/dev/none': No such device or address\n" +
      "cat: can't open '/dev/denied': Operation not permitted\n";
    assertEquals((await runtime.run(["exec", id, "sh", "-c", script])).stderr, refused);
    await command(["systemctl", "daemon-reload"]);
    assertEquals((await runtime.run(["exec", id, "sh", "-c", script])).stderr, refused);
  });
});

cgroupTest("update changes files and unit, or neither", ["v2", "systemd"], async () => {
  await withScope(() => {}, async (runtime, id, pid) => {
    const state = async () => [
      held(pid, "", "pids.max"),
      (await properties(`runts-${id}.scope`, ["TasksMax"]))["TasksMax"],
    ];
    await runtime.ok(["update", "--pids-limit", "12", id]);
    assertEquals(await state(), ["12", "12"]);
    const document = JSON.stringify({ pids: { limit: 13 }, cpu: { cpus: "4095" } });
    const refused = await runtime.run(["update", "-r", "-", id], { stdin: document });
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, `runts: update "${id}": cpu.cpus: write "4095" to "`);
    assertEquals(await state(), ["12", "12"]);
  });
});

cgroupTest("pause, exec, resume and kill work in a scope", ["systemd"], async () => {
  await withScope(() => {}, async (runtime, id) => {
    const { stdout } = await runtime.run(["exec", id, "cat", "/proc/self/cgroup"]);
    assertStringIncludes(stdout, `runts-${id}.scope`);
    await runtime.ok(["pause", id]);
    assertEquals((await runtime.state(id)).status, "paused");
    await runtime.ok(["resume", id]);
    assertEquals((await runtime.state(id)).status, "running");
  });
});

cgroupTest("a unit that exists is left alone", ["systemd"], async () => {
  await withScope(() => {}, async (runtime, id) => {
    using bundle = new Bundle((config) => {
      config.linux.cgroupsPath = `runtstest-a.slice:runts:${id}`;
    });
    const other = runtime.id();
    const args = ["--systemd-cgroup", "create", "--bundle", bundle.path, other];
    const { code, stderr } = await runtime.run(args);
    assertEquals({ code, stderr }, {
      code: 1,
      stderr: `runts: create "${other}": have systemd manage "runts-${id}.scope": ` +
        `linux.cgroupsPath: start unit "runts-${id}.scope": there is a unit of this name ` +
        "already: another container may have it: give this one another name\n",
    });
    assertEquals((await runtime.state(id)).status, "running");
  });
});

cgroupTest("a path is no name for systemd", ["systemd"], async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.linux.cgroupsPath = "/a/b");
    const id = runtime.id();
    const args = ["--systemd-cgroup", "create", "--bundle", bundle.path, id];
    assertEquals(
      (await runtime.run(args)).stderr,
      `runts: create "${id}": linux.cgroupsPath: read cgroup path "/a/b": systemd wants ` +
        '"SLICE:PREFIX:NAME": without --systemd-cgroup it is a path\n',
    );
  });
});

cgroupTest("without systemd, asking for it is an error that says so", ["no systemd"], async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle();
    const id = runtime.id();
    const args = ["--systemd-cgroup", "create", "--bundle", bundle.path, id];
    const { code, stderr } = await runtime.run(args);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `runts: create "${id}": reach systemd: `);
    assertStringIncludes(stderr, "systemd does not run here: use --cgroup-manager=cgroupfs\n");
  });
});

/** Runs a command as another user, with the environment of a session. */
function asUser(user: number, line: readonly string[]): Promise<Output> {
  const identity = [`--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
  return command(["setpriv", ...identity, "--", ...line], {
    env: { XDG_RUNTIME_DIR: `/run/user/${user}`, PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/" },
    clearEnv: true,
    cwd: "/",
  });
}

/** What `runts spec --rootless` changes. */
function rootless(config: Config, user: number): void {
  config.linux.namespaces = config.linux.namespaces.filter(
    ({ type }: { type: string }) => type !== "network",
  );
  config.linux.namespaces.push({ type: "user" });
  config.linux.uidMappings = [{ containerID: 0, hostID: user, size: 1 }];
  config.linux.gidMappings = [{ containerID: 0, hostID: user, size: 1 }];
  config.mounts = config.mounts.filter(({ type }: Config) => type !== "sysfs");
  for (const { options } of config.mounts) {
    const at = options?.indexOf("gid=5") ?? -1;
    if (at >= 0) options.splice(at, 1);
  }
}

/** `inner`: the sub-cgroup, or none. */
async function userScope(inner: string): Promise<void> {
  const user = lingeringUser() ?? 0;
  const id = `t${Deno.pid}-user`;
  using bundle = new Bundle((config) => {
    rootless(config, user);
    config.process.args = ["sleep", "1000"];
    config.linux.cgroupsPath = `user.slice:runts:${id}`;
    config.linux.resources = { pids: { limit: 7 } };
    config.annotations = { "run.oci.systemd.subgroup": inner };
  });
  const root = Deno.makeTempDirSync({ prefix: "runts-root-" });
  Deno.chownSync(root, user, user);
  const runts = async (...args: string[]) => {
    const output = await asUser(user, [RUNTIME, "--root", root, ...args]);
    assertEquals({ code: output.code, stderr: output.stderr }, { code: 0, stderr: "" });
    return output.stdout;
  };
  const show = (args: readonly string[]) => asUser(user, ["systemctl", "--user", ...args]);
  try {
    await runts("--systemd-cgroup", "create", "--bundle", bundle.path, id);
    await runts("start", id);
    const { pid } = JSON.parse(await runts("state", id));
    const manager = `/user.slice/user-${user}.slice/user@${user}.service`;
    const scope = `/sys/fs/cgroup${manager}/user.slice/runts-${id}.scope`;
    assertEquals(cgroupsOf(pid), { "": inner ? `${scope}/${inner}` : scope });
    assertEquals(Deno.readTextFileSync(`${scope}/pids.max`), "7\n");
    assertEquals(await properties(`runts-${id}.scope`, ["TasksMax"], show), { TasksMax: "7" });
    await runts("update", "--pids-limit", "9", id);
    assertEquals(await properties(`runts-${id}.scope`, ["TasksMax"], show), { TasksMax: "9" });
    const where = await runts("exec", id, "cat", "/proc/self/cgroup");
    assertEquals(where.trimEnd().endsWith(inner ? `.scope/${inner}` : ".scope"), true, where);
    await runts("pause", id);
    await runts("delete", "--force", id);
    assertEquals(await properties(`runts-${id}.scope`, ["LoadState"], show), {
      LoadState: "not-found",
    });
  } finally {
    await asUser(user, [RUNTIME, "--root", root, "delete", "--force", id]);
    Deno.removeSync(root, { recursive: true });
  }
}

cgroupTest(
  "a user's container is in a scope of the user's systemd",
  ["v2", "user"],
  () => userScope(""),
);

cgroupTest(
  "a user's container is in a sub-cgroup of its scope",
  ["v2", "user"],
  () => userScope("inner"),
);

cgroupTest(
  "without a cgroup of their own users can run what needs none",
  ["v2", "user"],
  async () => {
    const user = lingeringUser() ?? 0;
    const id = `t${Deno.pid}-none`;
    using bundle = new Bundle((config) => rootless(config, user));
    const root = Deno.makeTempDirSync({ prefix: "runts-root-" });
    Deno.chownSync(root, user, user);
    const run = () => asUser(user, [RUNTIME, "--root", root, "run", "--bundle", bundle.path, id]);
    try {
      assertEquals(await run(), { code: 0, stdout: "", stderr: "" });
      bundle.config.linux.resources = { pids: { limit: 5 } };
      bundle.save();
      const { code, stderr } = await run();
      assertEquals(code, 1);
      assertStringIncludes(stderr, `runts: run "${id}": linux.resources: make cgroup "`);
      assertStringIncludes(
        stderr,
        "EACCES (permission denied): the cgroup above it is not delegated",
      );
    } finally {
      Deno.removeSync(root, { recursive: true });
    }
  },
);

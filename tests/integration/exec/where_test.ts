/** exec in containers of every kind: of crun, without namespaces, with those of others. */

import { assert, assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { TestRuntime, withRuntime } from "../../support/host.ts";
import { userNamespace } from "../../support/inside.ts";
import { addPayload } from "../../support/payload.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";
import { allowing, number, rule } from "../../support/seccomp.ts";
import { Sleeper, withSleeper } from "../../support/seen.ts";

const UNIFIED = "/sys/fs/cgroup/unified";

/** A test in a container that crun made. */
function ofCrun(
  name: string,
  edit: (config: Config) => void,
  body: (sleeper: Sleeper) => Promise<void>,
): void {
  Deno.test({
    name: `exec in a container of crun ${name}`,
    ...RUNTS_ONLY, // a test of one runtime with another
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
        await addPayload(bundle, "payload");
        await addPayload(bundle, "syscalls");
        edit(bundle.config);
        bundle.save();
        const crun = new TestRuntime(runtime.root, "/usr/bin/crun");
        const id = runtime.id();
        await crun.ok(["run", "--detach", "--bundle", bundle.path, id]);
        try {
          await body(new Sleeper(runtime, id, bundle));
        } finally {
          await runtime.ok(["delete", "--force", id]);
          removeUnified(id);
        }
      }),
  });
}

/** On a hybrid host crun is run without sight of that hierarchy, and what exec makes there stays. */
function removeUnified(id: string): void {
  try {
    Deno.removeSync(`${UNIFIED}/${id}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Controllers of a process with their paths, but for the hierarchy that crun does not see here. */
function cgroups(text: string): string[] {
  return text.trim().split("\n").filter((line) => !line.startsWith("0:")).sort();
}

ofCrun("joins its namespaces and cgroups", (config) => {
  config.linux.namespaces.push({ type: "cgroup" });
}, async (sleeper) => {
  const pid = await sleeper.pid();
  const seen = await sleeper.seen();
  for (const [name, inode] of Object.entries(seen.namespaces)) {
    assertEquals(inode, Deno.readLinkSync(`/proc/${pid}/ns/${name}`), name);
  }
  const file = `${sleeper.bundle.path}/pid`;
  await sleeper.runtime.ok([
    ...["exec", "--detach", "--pid-file", file, sleeper.id, "sleep", "1000"],
  ]);
  const other = Deno.readTextFileSync(file);
  const of = (one: number | string) => cgroups(Deno.readTextFileSync(`/proc/${one}/cgroup`));
  assertEquals(of(other), of(pid));
});

ofCrun("has the rights and limits of its configuration", (config) => {
  config.process.user = { uid: 3, gid: 4, additionalGids: [5], umask: 0o27 };
  config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 512, hard: 1000 }];
}, async (sleeper) => {
  const { status, limits } = await sleeper.seen();
  assertEquals(status.Uid, "3\t3\t3\t3");
  assertEquals(status.Groups!.trim(), "5");
  assertEquals([status.NoNewPrivs, status.Umask], ["1", "0027"]);
  assertEquals(status.CapBnd, "0000000020000420");
  assertEquals(limits["RLIMIT_NOFILE"], [512, 1000]);
});

for (const noNewPrivileges of [true, false]) {
  const how = noNewPrivileges ? "with" : "without";
  ofCrun(`has its seccomp filter, ${how} no_new_privs`, (config) => {
    config.process.noNewPrivileges = noNewPrivileges;
    config.linux.seccomp = allowing(rule("add_key", "SCMP_ACT_ERRNO", { errnoRet: 77 }));
  }, async (sleeper) => {
    assertEquals((await sleeper.seen()).status.Seccomp, "2");
    const { stdout } = await sleeper.exec([], ["/bin/syscalls", `${number("add_key")}`]);
    assert(stdout.includes("77"), stdout);
  });
}

ofCrun("enters its user namespace", userNamespace, async (sleeper) => {
  const seen = await sleeper.seen(["--user", "3:4"]);
  const pid = await sleeper.pid();
  assertEquals(seen.namespaces["user"], Deno.readLinkSync(`/proc/${pid}/ns/user`));
  assertEquals(seen.status.Uid, "3\t3\t3\t3");
});

ofCrun("refuses it when paused", () => {}, async (sleeper) => {
  await sleeper.runtime.ok(["pause", sleeper.id]);
  assertEquals(await sleeper.exec([], ["true"]), {
    code: 255,
    stdout: "",
    stderr: `runts: exec "${sleeper.id}": cannot exec in a paused container ` +
      "(use --ignore-paused to override)\n",
  });
  await sleeper.runtime.ok(["resume", sleeper.id]);
});

function removeNamespaces(config: Config, ...types: string[]): void {
  config.linux.namespaces = config.linux.namespaces.filter((one: Config) =>
    !types.includes(one.type)
  );
}

/** What a container without a mount namespace cannot have: those would be mounts of the host. */
function withoutMounts(config: Config): void {
  removeNamespaces(config, "mount");
  config.mounts = [];
  config.linux.maskedPaths = config.linux.readonlyPaths = [];
  config.root.readonly = false;
}

Deno.test("exec in a container without a mount namespace is in its root", {
  ...RUNTS_ONLY, // the peers bind-mount the root on the host and leave that
}, async () => {
  await withSleeper((config, bundle) => {
    withoutMounts(config);
    bundle.put("etc/passwd", "root:x:0:0::/inner:/bin/sh\n");
  }, async (sleeper) => {
    const script = "cat /etc/passwd; echo $HOME; pwd; echo /bin/pay*";
    const { code, stdout, stderr } = await sleeper.exec(["--cwd", "/tmp"], ["sh", "-c", script]);
    assertEquals({ code, stdout: stdout.split("\n"), stderr }, {
      code: 0,
      stdout: ["root:x:0:0::/inner:/bin/sh", "/inner", "/tmp", "/bin/payload", ""],
      stderr: "",
    });
    const outside = await sleeper.exec([], ["/usr/bin/env"]);
    assertEquals(outside.stderr.includes("stat /usr/bin/env: no such file or directory"), true);
  });
});

Deno.test("exec in a container without any namespace", {
  ...RUNTS_ONLY, // as above
}, async () => {
  await withSleeper((config) => {
    withoutMounts(config);
    config.linux.namespaces = [];
    delete config.hostname;
  }, async (sleeper) => {
    assertEquals(await sleeper.exec([], ["sh", "-c", "echo /bin/pay*; exit 4"]), {
      code: 4,
      stdout: "/bin/payload\n",
      stderr: "",
    });
  });
});

/** Two containers: the other one joins namespaces of the first by path. */
async function withPair(
  types: readonly string[],
  body: (first: Sleeper, other: Sleeper) => Promise<void>,
  edit: (config: Config) => void = () => {},
): Promise<void> {
  await withSleeper(edit, async (first) => {
    const { runtime, bundle } = first;
    const pid = await first.pid();
    for (const namespace of bundle.config.linux.namespaces) {
      if (!types.includes(namespace.type)) continue;
      const name = { network: "net", mount: "mnt" }[namespace.type as string] ?? namespace.type;
      namespace.path = `/proc/${pid}/ns/${name}`;
    }
    delete bundle.config.linux.uidMappings;
    delete bundle.config.linux.gidMappings;
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    try {
      await body(first, new Sleeper(runtime, id, bundle));
    } finally {
      await runtime.ok(["delete", "--force", id]);
    }
  });
}

function links(pid: number, names: readonly string[]): string[] {
  return names.map((name) => Deno.readLinkSync(`/proc/${pid}/ns/${name}`));
}

const NAMES = ["pid", "net", "ipc", "uts", "mnt", "user"];

Deno.test("exec in a container that shares the pid namespace of another", async () => {
  await withPair(["pid", "network", "ipc"], async (first, other) => {
    const seen = await other.seen();
    const pid = await other.pid();
    assertEquals(NAMES.map((name) => seen.namespaces[name]), links(pid, NAMES));
    const shared = ["pid", "net", "ipc"];
    assertEquals(links(pid, shared), links(await first.pid(), shared));
    // A signal to the one does not reach the other.
    await other.exec(["--detach"], ["sleep", "1000"]);
    assertEquals((await other.pids()).length, 2);
    assertEquals((await first.pids()).length, 1);
  });
});

Deno.test("exec in a container that shares the user namespace of another", {
  ignore: PEER === "runc", // 1.1.5 wants maps beside the path
}, async () => {
  await withPair(["user", "network"], async (first, other) => {
    const seen = await other.seen(["--user", "7:8"]);
    assertEquals(seen.namespaces["user"], links(await first.pid(), ["user"])[0]);
    assertEquals(NAMES.map((name) => seen.namespaces[name]), links(await other.pid(), NAMES));
    assertEquals(seen.status.Uid, "7\t7\t7\t7");
  }, (config) => userNamespace(config));
});

Deno.test("what one exec mounts is there for the next", async () => {
  await withSleeper((config) => {
    config.linux.namespaces.push({ type: "cgroup" });
    config.process.capabilities.bounding.push("CAP_SYS_ADMIN");
    config.process.capabilities.effective.push("CAP_SYS_ADMIN");
    config.process.capabilities.permitted.push("CAP_SYS_ADMIN");
  }, async (sleeper) => {
    const { code } = await sleeper.exec([], ["mount", "-t", "tmpfs", "tmpfs", "/tmp"]);
    assertEquals(code, 0);
    assertEquals((await sleeper.exec([], ["touch", "/tmp/later"])).code, 0);
    assertEquals((await sleeper.exec([], ["ls", "/tmp"])).stdout, "later\n");
  });
});

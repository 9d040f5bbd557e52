/** checkpoint and restore: what runc and crun do, too. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkpointTest,
  type Restorable,
  WITH_CRIU_RUNTS_ONLY,
  WITH_MEMORY_TRACKING,
} from "../../support/criu.ts";
import { until } from "../../support/runtime.ts";
import { exists } from "../../support/look.ts";

async function statusOf({ runtime, id }: Restorable): Promise<string> {
  return (await runtime.state(id)).status;
}

checkpointTest("a program goes on where it was", async (container) => {
  const { runtime, id } = container;
  await container.run();
  await container.ok("checkpoint");
  assertEquals((await runtime.run(["state", id])).code, 1);
  assertEquals(container.said(), "");
  const pidFile = `${container.bundle.path}/pid`;
  await container.ok("restore", "--detach", "--pid-file", pidFile);
  const { status, pid } = await runtime.state(id);
  assertEquals(status, "running");
  assertEquals(Deno.readTextFileSync(pidFile), String(pid));
  await container.assertKept();
  assertEquals(await runtime.ok(["exec", id, "cat", "/tmp/said"]), "kept\n");
  await container.delete();
});

checkpointTest("a program is restored twice, each time from where it was", async (container) => {
  await container.run();
  await container.ok("checkpoint");
  for (let times = 0; times < 2; times++) {
    await container.ok("restore", "--detach");
    await container.assertKept();
    await container.delete();
    for (const name of ["go", "said"]) Deno.removeSync(`${container.bundle.rootfs}/tmp/${name}`);
  }
});

checkpointTest(
  "a container that is left running goes on, and can be taken again",
  async (container) => {
    const { runtime, id } = container;
    await container.run();
    const before = await runtime.state(id);
    await container.ok("checkpoint", "--leave-running");
    assertEquals(await runtime.state(id), before);
    await container.ok("checkpoint");
    await container.ok("restore", "--detach");
    await container.assertKept();
    await container.delete();
  },
);

checkpointTest("a restored container can be stopped, paused and taken again", async (container) => {
  const { runtime, id } = container;
  await container.run();
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  await runtime.ok(["pause", id]);
  assertEquals(await statusOf(container), "paused");
  await runtime.ok(["resume", id]);
  Deno.removeSync(container.image, { recursive: true });
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  await container.assertKept();
  await runtime.ok(["kill", id, "KILL"]);
  await runtime.untilStopped(id);
  await runtime.ok(["delete", id]);
});

checkpointTest("restore in the foreground gives the program's exit code", async (container) => {
  await container.run();
  await container.ok("checkpoint");
  container.bundle.put("tmp/go", "");
  assertEquals(await container.verb("restore"), { code: 7, stdout: "", stderr: "" });
  assertEquals((await container.runtime.run(["state", container.id])).code, 1);
}, (config) => {
  config.process.args = [
    ...["sh", "-c"],
    "touch /tmp/waits; while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 7",
  ];
});

checkpointTest(
  "the cgroup and its limits are made anew",
  async (container) => {
    const { runtime, id } = container;
    await container.run();
    await container.ok("checkpoint");
    await container.ok("restore", "--detach");
    const { pid } = await runtime.state(id);
    const cgroups = Deno.readTextFileSync(`/proc/${pid}/cgroup`).trim().split("\n");
    for (const line of cgroups) assertStringIncludes(line, `/${id}`);
    const place = cgroups.map((line) => line.split(":")).map(([, controller, path]) =>
      `/sys/fs/cgroup/${controller}${path}/pids.max`
    ).find(exists);
    assertEquals(Deno.readTextFileSync(place!), "77\n");
    await container.delete();
  },
  (config) => config.linux.resources = { ...config.linux.resources, pids: { limit: 77 } },
);

checkpointTest("what is in the memory of file systems comes along", async (container) => {
  const { runtime, id } = container;
  await container.run();
  await runtime.ok(["exec", id, "sh", "-c", "echo shared > /dev/shm/note"]);
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  assertEquals(await runtime.ok(["exec", id, "cat", "/dev/shm/note"]), "shared\n");
  assertEquals(await runtime.ok(["exec", id, "hostname"]), "test\n");
  await container.delete();
});

checkpointTest("masked and read-only paths are as they were", async (container) => {
  const { runtime, id } = container;
  await container.run();
  const words = ["exec", id, "mount"];
  const before = await runtime.ok(words);
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  assertEquals(sorted(await runtime.ok(words)), sorted(before));
  await container.delete();
}, (config) => {
  config.linux.maskedPaths = ["/proc/acpi", "/proc/keys", "/sys/firmware", "/proc/nothing"];
  config.linux.readonlyPaths = ["/proc/bus", "/proc/sys"];
}, WITH_CRIU_RUNTS_ONLY); // runc masks with the host's null device then

function sorted(text: string): string[] {
  return text.trim().split("\n").sort();
}

checkpointTest("a paused container is taken, and stays paused", async (container) => {
  const { runtime, id } = container;
  await container.run();
  await runtime.ok(["pause", id]);
  await container.ok("checkpoint", "--leave-running");
  assertEquals(await statusOf(container), "paused");
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  await until("it runs", async () => await statusOf(container) === "running");
  await container.assertKept();
  await container.delete();
});

checkpointTest("work files and the log go where they are told to", async (container) => {
  const work = `${container.bundle.path}/work`;
  await container.run();
  await container.ok("checkpoint", "--work-path", work, "--leave-running");
  assert(Deno.statSync(`${work}/dump.log`).isFile);
  assertEquals(container.log("dump"), "");
  await container.ok("checkpoint", "--work-path", work);
  await container.ok("restore", "--detach", "--work-path", work);
  assert(Deno.statSync(`${work}/restore.log`).isFile);
  await container.assertKept();
  await container.delete();
});

checkpointTest(
  "memory that a pre-dump has is not written again",
  async (container) => {
    const { runtime, id } = container;
    await container.run();
    const before = `${container.bundle.path}/before`;
    const lineOf = (...options: string[]) => [...container.line("checkpoint", ...options)];
    const pre = lineOf("--pre-dump").map((word) => word === container.image ? before : word);
    assertEquals(await runtime.run(pre), { code: 0, stdout: "", stderr: "" });
    assertEquals(await statusOf(container), "running");
    await container.ok("checkpoint", "--parent-path", "../before");
    assertEquals(Deno.readLinkSync(`${container.image}/parent`), "../before");
    await container.ok("restore", "--detach");
    await container.assertKept();
    await runtime.ok(["exec", id, "true"]);
    await container.delete();
  },
  undefined,
  WITH_MEMORY_TRACKING,
);

checkpointTest(
  "hooks run as for a container that is made, and that is deleted",
  async (container) => {
    const { bundle } = container;
    const told = () => Deno.readTextFileSync(`${bundle.path}/told`).trim().split("\n");
    await container.run();
    assertEquals(told(), ["prestart creating", "createRuntime creating"]);
    await container.ok("checkpoint");
    assertEquals(told().slice(2), ["poststop stopped"]);
    await container.ok("restore", "--detach");
    assertEquals(told().slice(3), ["prestart creating", "createRuntime creating"]);
    await container.delete();
  },
  (config, bundle) => {
    const status = `sed 's/.*"status": *"\\([a-z]*\\)".*/\\1/'`;
    const script = `echo "$0 $(${status})" >> ${bundle.path}/told`;
    const hook = (name: string) => [{ path: "/bin/sh", args: ["sh", "-c", script, name] }];
    config.hooks = {
      prestart: hook("prestart"),
      createRuntime: hook("createRuntime"),
      poststop: hook("poststop"),
    };
  },
  WITH_CRIU_RUNTS_ONLY,
); // the others have other names for the states

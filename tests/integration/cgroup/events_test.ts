/** What `events` tells: statistics in runc's schema, and the lack of memory. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { cgroupTest, ownCgroups, removeLeft } from "../../support/cgroups.ts";
import { TestRuntime, withRuntime } from "../../support/host.ts";
import { command, commandLine, until } from "../../support/runtime.ts";

const MiB = 2 ** 20;
const RUNC = "/usr/sbin/runc";
/** Grows until it is killed. */
const GREEDY = ["sh", "-c", "read go; tail /dev/zero; echo went on"];

/** Names of all fields, with those of fields inside. */
function shape(value: Config, prefix = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    prefix + key,
    ...shape(inner as Config, `${prefix}${key}.`),
  ]);
}

/** Fields that a quiet container may or may not have, since zeros are left out. */
const VARYING = /cpu\.throttling\.|cpu\.psi|memory\.psi|blkio\.|\.usage\.usage|\.max$|cache$/;

cgroupTest("events --stats has the fields of runc's", [], async () => {
  const stats = async (runtime: TestRuntime) => {
    const id = runtime.id();
    using bundle = new Bundle((config) => {
      config.process.args = ["sleep", "1000"];
      config.linux.resources = { memory: { limit: 64 * MiB }, pids: { limit: 10 } };
    });
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await runtime.ok(["start", id]);
    const event = JSON.parse(await runtime.ok(["events", "--stats", id]));
    const cgroups = ownCgroups((await runtime.state(id)).pid, id);
    await runtime.ok(["delete", "--force", id]);
    if (runtime.executable === RUNC) await removeLeft(cgroups);
    assertEquals([event.type, event.id], ["stats", id]);
    return event.data;
  };
  await withRuntime(async (runtime) => {
    const own = await stats(runtime);
    assertEquals(own.memory.usage.limit, 64 * MiB);
    assertEquals(own.pids, { current: 1, limit: 10 });
    const peer = await stats(new TestRuntime(runtime.root, RUNC));
    const fields = (data: Config) => shape(data).filter((name) => !VARYING.test(name)).sort();
    const known = new Set(fields(own));
    assertEquals(fields(peer).filter((name) => !known.has(name)), []);
  });
});

cgroupTest("events --stats tells v2 files in the same schema", ["v2"], async () => {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = new Bundle((config) => {
      config.process.args = ["sleep", "1000"];
      config.linux.resources = { memory: { limit: 64 * MiB, swap: 96 * MiB }, pids: { limit: 10 } };
    });
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await runtime.ok(["start", id]);
    const { data } = JSON.parse(await runtime.ok(["events", "--stats", id]));
    await runtime.ok(["delete", "--force", id]);
    assertEquals(data.memory.usage.limit, 64 * MiB);
    assertEquals(data.memory.swap.limit, 96 * MiB);
    assertEquals(data.pids, { current: 1, limit: 10 });
    assertEquals(data.cpu.usage.total > 0, true);
    assertEquals(Object.keys(data), [
      ...["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt"],
      "network_interfaces",
    ]);
  });
});

/** Whether an `events` of this container has open what tells of the lack of memory. */
function listens(id: string): boolean {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name).some((pid) => {
    try {
      const line = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
      if (!line.includes("events") || !line.includes(id)) return false;
      return Array.from(Deno.readDirSync(`/proc/${pid}/fd`))
        .map(({ name }) => Deno.readLinkSync(`/proc/${pid}/fd/${name}`))
        .some((target) => /\/memory\.(oom_control|events)$|inotify$/.test(target));
    } catch {
      return false; // no process, or one that ends
    }
  });
}

cgroupTest(
  "events tells of the lack of memory as it happens, and ends with the container",
  [],
  async () => {
    await withRuntime(async (runtime) => {
      const id = runtime.id();
      const fifo = `${runtime.root}/../${id}.fifo`;
      using bundle = new Bundle((config) => {
        config.process.args = GREEDY;
        config.linux.resources = { memory: { limit: 32 * MiB, swap: 32 * MiB } };
      });
      await command(["mkfifo", fifo]);
      try {
        const create = ["--root", runtime.root, "create", "--bundle", bundle.path, id];
        const line = commandLine(runtime.executable, create);
        await command(["sh", "-c", 'fifo=$0; exec "$@" <>"$fifo"', fifo, ...line]);
        await runtime.ok(["start", id]);
        // More than a timer of 32 bits can wait.
        const watching = runtime.run(["events", "--interval", "9999h", id]);
        await until("events listens", () => listens(id));
        Deno.writeTextFileSync(fifo, "go\n", { create: false });
        const { stdout } = await watching;
        assertEquals(stdout.split("\n")[0], JSON.stringify({ type: "oom", id }));
        await runtime.ok(["delete", "--force", id]);
      } finally {
        Deno.removeSync(fifo);
      }
    });
  },
);

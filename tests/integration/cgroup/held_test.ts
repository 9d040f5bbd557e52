/** What a scope's files have is what its unit holds: a daemon-reload changes none of it. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { cgroupTest, held, hostHas, withContainer } from "../../support/cgroups.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command } from "../../support/runtime.ts";

const FILES: readonly (readonly [controller: string, file: string])[] = hostHas("v2")
  ? ["cpu.max", "cpu.weight", "cpu.idle", "io.bfq.weight", "memory.max", "memory.low", "pids.max"]
    .map((file) => ["", file] as const)
  : [
    ["cpu", "cpu.cfs_quota_us"],
    ["cpu", "cpu.cfs_period_us"],
    ["cpu", "cpu.shares"],
    ["cpu", "cpu.idle"],
    ["blkio", "blkio.bfq.weight"],
    ["memory", "memory.limit_in_bytes"],
    ["pids", "pids.max"],
  ];

/** The files that the kernel has, with their values. */
function limits(pid: number): Record<string, string> {
  return Object.fromEntries(FILES.flatMap(([controller, file]) => {
    try {
      return [[file, held(pid, controller, file)]];
    } catch {
      return []; // a scheduler or a feature that the kernel lacks
    }
  }));
}

/** Quota and period, in the words of v2. */
function quotaOf(pid: number): string {
  return hostHas("v2")
    ? held(pid, "", "cpu.max")
    : `${held(pid, "cpu", "cpu.cfs_quota_us")} ${held(pid, "cpu", "cpu.cfs_period_us")}`;
}

/** Has systemd write its own idea of every unit, which it has done when it answers again. */
async function reload(id: string): Promise<void> {
  await command(["systemctl", "daemon-reload"]);
  await command(["systemctl", "show", `runts-${id}.scope`, "-p", "ControlGroup"]);
}

function withScope(
  resources: Config,
  body: (runtime: TestRuntime, id: string, pid: number) => Promise<void>,
): Promise<void> {
  const edit = (config: Config) => config.linux.resources = resources;
  return withContainer(edit, body, { slice: "runtstest.slice" });
}

cgroupTest("a quota is rounded up to what the unit holds", ["systemd"], async () => {
  const cases: readonly (readonly [quota: number, period: number, expected: string])[] = [
    [600000, 900000, "603000 900000"],
    [12345, 100000, "13000 100000"],
    [50000, 100000, "50000 100000"],
  ];
  for (const [quota, period, expected] of cases) {
    await withScope({ cpu: { quota, period } }, async (_runtime, id, pid) => {
      assertEquals(quotaOf(pid), expected);
      await reload(id);
      assertEquals(quotaOf(pid), expected);
    });
  }
});

cgroupTest("a daemon-reload changes no limit", ["systemd"], async () => {
  const weights = hostHas("v2") ? [10, 100, 500, 1000] : [10, 100, 181];
  for (const weight of weights) {
    const resources = {
      cpu: { shares: 300, quota: 33333, period: 70000 },
      memory: { limit: 100_000_001, reservation: 50_000_001 },
      pids: { limit: 33 },
      blockIO: { weight },
    };
    await withScope(resources, async (_runtime, id, pid) => {
      const before = limits(pid);
      await reload(id);
      assertEquals(limits(pid), before);
    });
  }
});

/** Options of update, and the quota and period that they lead to. */
const UPDATES: readonly (readonly [options: readonly string[], quota: string])[] = [
  [["--cpu-quota", "20123"], "20500 50000"],
  [["--cpu-period", "100000"], "21000 100000"],
  [["--cpu-quota", "-1"], "-1 100000"],
  [["--cpu-period", "60000"], "-1 100000"],
  [["--cpu-share", "200", "--cpu-idle", "1"], "-1 100000"],
  [["--cpu-idle", "0"], "-1 100000"],
  [["--cpu-share", "1"], "-1 100000"],
  [["--cpu-share", "262145"], "-1 100000"],
];

cgroupTest("update writes what the unit holds, also where one value needs another", [
  "systemd",
], async () => {
  await withScope({ cpu: { quota: 10000, period: 50000 } }, async (runtime, id, pid) => {
    for (const [options, quota] of UPDATES) {
      await runtime.ok(["update", ...options, id]);
      const before = limits(pid);
      assertEquals(quotaOf(pid).replace("max", "-1"), quota, options.join(" "));
      await reload(id);
      assertEquals(limits(pid), before, options.join(" "));
    }
  });
});

cgroupTest("shares of an idle container are taken, and are without effect", [], async () => {
  const own = hostHas("systemd") ? ["--systemd-cgroup"] : [];
  for (const options of new Set([own, []])) {
    await withRuntime(async (runtime) => {
      const id = runtime.id();
      using bundle = new Bundle((config) => {
        config.process.args = ["sleep", "1000"];
        config.linux.resources = { cpu: { shares: 300, idle: 1 } };
        if (options.length > 0) config.linux.cgroupsPath = `system.slice:runts:${id}`;
      });
      await runtime.ok([...options, "run", "--detach", "--bundle", bundle.path, id]);
      const { pid } = await runtime.state(id);
      const idle = () => held(pid, "cpu", "cpu.idle");
      assertEquals(idle(), "1");
      await runtime.ok(["update", "--cpu-share", "200", "--cpu-idle", "1", id]);
      assertEquals(idle(), "1");
      await runtime.ok(["update", "--cpu-share", "200", "--cpu-idle", "0", id]);
      const [file, weight] = hostHas("v2") ? ["cpu.weight", "29"] : ["cpu.shares", "200"];
      assertEquals([idle(), held(pid, "cpu", file)], ["0", weight]);
      await runtime.ok(["delete", "--force", id]);
    });
  }
});

/** Limits as the kernel holds them, on v1 and on v2. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import {
  anyDisk,
  cgroupsOf,
  cgroupTest,
  held,
  ownCgroups,
  removeLeft,
  UPDATES,
  withContainer,
} from "../../support/cgroups.ts";
import { exists } from "../../support/look.ts";
import { TestRuntime, withRuntime } from "../../support/host.ts";

const SLEEP = ["sleep", "1000"];
const RUNC = "/usr/sbin/runc";
const MiB = 2 ** 20;

/** Runs a test with a container that sleeps and has these limits. */
function withLimits(
  resources: Config,
  body: (runtime: TestRuntime, id: string, pid: number) => Promise<void>,
): Promise<void> {
  return withContainer((config) => config.linux.resources = resources, body);
}

/** Files of one controller with what they hold. */
function files(pid: number, controller: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, held(pid, controller, name)]));
}

function resourcesOf(disk: string): Config {
  const [major, minor] = disk.split(":").map(Number);
  const rate = (rate: number) => [{ major, minor, rate: 2 }, { major, minor, rate }];
  return {
    memory: { limit: 96 * MiB, swap: 128 * MiB, reservation: 64 * MiB },
    cpu: { shares: 512, quota: 40000, period: 80000, burst: 5000, cpus: "0", mems: "0" },
    pids: { limit: 33 },
    blockIO: {
      throttleReadBpsDevice: rate(1000000),
      throttleWriteBpsDevice: rate(2000000),
      throttleReadIOPSDevice: rate(300),
      throttleWriteIOPSDevice: rate(400),
    },
  };
}

cgroupTest("the kernel holds every limit", ["v1"], async () => {
  const disk = anyDisk();
  await withLimits(resourcesOf(disk), async (_runtime, _id, pid) => {
    assertEquals(
      files(pid, "memory", [
        "memory.limit_in_bytes",
        "memory.memsw.limit_in_bytes",
        "memory.soft_limit_in_bytes",
      ]),
      {
        "memory.limit_in_bytes": String(96 * MiB),
        "memory.memsw.limit_in_bytes": String(128 * MiB),
        "memory.soft_limit_in_bytes": String(64 * MiB),
      },
    );
    assertEquals(
      files(pid, "cpu", [
        "cpu.shares",
        "cpu.cfs_quota_us",
        "cpu.cfs_period_us",
        "cpu.cfs_burst_us",
      ]),
      {
        "cpu.shares": "512",
        "cpu.cfs_quota_us": "40000",
        "cpu.cfs_period_us": "80000",
        "cpu.cfs_burst_us": "5000",
      },
    );
    assertEquals(files(pid, "cpuset", ["cpuset.cpus", "cpuset.mems"]), {
      "cpuset.cpus": "0",
      "cpuset.mems": "0",
    });
    assertEquals(held(pid, "pids", "pids.max"), "33");
    const throttles = [
      "blkio.throttle.read_bps_device",
      "blkio.throttle.write_bps_device",
      "blkio.throttle.read_iops_device",
      "blkio.throttle.write_iops_device",
    ];
    assertEquals(Object.values(files(pid, "blkio", throttles)), [
      `${disk} 1000000`,
      `${disk} 2000000`,
      `${disk} 300`,
      `${disk} 400`,
    ]);
    await Promise.resolve();
  });
});

cgroupTest("the kernel holds what only v1 has", ["v1"], async () => {
  const resources = {
    memory: { swappiness: 7, disableOOMKiller: true, kernelTCP: 8 * MiB, useHierarchy: true },
    cpu: { idle: 1 },
  };
  await withLimits(resources, async (_runtime, _id, pid) => {
    assertEquals(held(pid, "memory", "memory.swappiness"), "7");
    assertStringIncludes(held(pid, "memory", "memory.oom_control"), "oom_kill_disable 1\n");
    assertEquals(held(pid, "memory", "memory.kmem.tcp.limit_in_bytes"), String(8 * MiB));
    assertEquals(held(pid, "cpu", "cpu.idle"), "1");
    await Promise.resolve();
  });
});

cgroupTest("the kernel holds a weight of block I/O", ["bfq"], async (host) => {
  await withLimits({ blockIO: { weight: 200 } }, async (_runtime, _id, pid) => {
    const [file, text] = host.mode === "v2"
      ? ["io.bfq.weight", "default 200"]
      : ["blkio.bfq.weight", "200"];
    assertEquals(held(pid, "blkio", file), text);
    await Promise.resolve();
  });
});

cgroupTest("the kernel holds limits of realtime", ["v1", "realtime"], async () => {
  const cpu = { realtimePeriod: 900000, realtimeRuntime: 1000 };
  await withLimits({ cpu }, async (_runtime, _id, pid) => {
    const names = ["cpu.rt_period_us", "cpu.rt_runtime_us"];
    assertEquals(Object.values(files(pid, "cpu", names)), ["900000", "1000"]);
    await Promise.resolve();
  });
});

cgroupTest("the kernel holds every limit", ["v2"], async () => {
  const disk = anyDisk();
  const resources = { ...resourcesOf(disk), unified: { "memory.high": String(80 * MiB) } };
  await withLimits(resources, async (_runtime, _id, pid) => {
    const names = [
      ...["memory.max", "memory.swap.max", "memory.low", "memory.high"],
      ...["cpu.weight", "cpu.max", "cpu.max.burst", "cpuset.cpus", "cpuset.mems", "pids.max"],
      "io.max",
    ];
    assertEquals(files(pid, "", names), {
      "memory.max": String(96 * MiB),
      "memory.swap.max": String(32 * MiB),
      "memory.low": String(64 * MiB),
      "memory.high": String(80 * MiB),
      "cpu.weight": "59",
      "cpu.max": "40000 80000",
      "cpu.max.burst": "5000",
      "cpuset.cpus": "0",
      "cpuset.mems": "0",
      "pids.max": "33",
      "io.max": `${disk} rbps=1000000 wbps=2000000 riops=300 wiops=400`,
    });
    await Promise.resolve();
  });
});

cgroupTest("a limit of huge pages is one of reservations too", ["v2"], async () => {
  const resources = { hugepageLimits: [{ pageSize: "2MB", limit: 4 * MiB }] };
  await withLimits(resources, async (_runtime, _id, pid) => {
    const limits = files(pid, "", ["hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"]);
    assertEquals(Object.values(limits), [String(4 * MiB), String(4 * MiB)]);
    await Promise.resolve();
  });
});

cgroupTest("what v2 cannot express fails create", ["v2"], async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.linux.resources = { memory: { swappiness: 1 } });
    const id = runtime.id();
    const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
    assertEquals({ code, stderr }, {
      code: 1,
      stderr: `runts: create "${id}": linux.resources.memory.swappiness: cannot be set: ` +
        "cgroup v2 has nothing like it: it is one value for the host\n",
    });
  });
});

cgroupTest(
  "a refused limit leaves no cgroup behind and names file, value and reason",
  [],
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.linux.resources = { cpu: { cpus: "0,4095" } });
      const id = runtime.id();
      const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        `runts: create "${id}": linux.resources.cpu.cpus: write "0,4095" to "`,
      );
      assertStringIncludes(
        stderr,
        'it is no list of processors like "0-3,7", or one of them does not exist',
      );
    });
  },
);

cgroupTest("update changes limits of running, paused and created containers", [], async (host) => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.process.args = SLEEP;
      config.linux.resources = { memory: { limit: 64 * MiB, swap: 64 * MiB } };
    });
    const id = runtime.id();
    const max = host.mode === "v2" ? "memory.max" : "memory.limit_in_bytes";
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    const limits = () => [held(pid, "memory", max), held(pid, "pids", "pids.max")];
    await runtime.ok(["update", "--pids-limit", "20", id]);
    assertEquals(limits(), [String(64 * MiB), "20"]);
    await runtime.ok(["start", id]);
    const grown = { memory: { limit: 96 * MiB, swap: 96 * MiB }, pids: { limit: -1 } };
    await runtime.ok(["update", "--resources", "-", id], { stdin: JSON.stringify(grown) });
    assertEquals(limits(), [String(96 * MiB), "max"]);
    await runtime.ok(["pause", id]);
    const shrunk = { memory: { limit: 48 * MiB, swap: 48 * MiB }, pids: { limit: 0 } };
    await runtime.ok(["update", "--resources", "-", id], { stdin: JSON.stringify(shrunk) });
    assertEquals(limits(), [String(48 * MiB), "max"]);
    assertEquals((await runtime.state(id)).status, "paused");
    await runtime.ok(["delete", "--force", id]);
  });
});

cgroupTest("update: a refused value leaves the others as they were", [], async (host) => {
  const resources = { memory: { limit: 64 * MiB, swap: 64 * MiB }, pids: { limit: 12 } };
  await withLimits(resources, async (runtime, id, pid) => {
    const v2 = host.mode === "v2";
    const names = [
      ["memory", v2 ? "memory.max" : "memory.limit_in_bytes"],
      ["memory", v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes"],
      ["pids", "pids.max"],
      ["cpu", v2 ? "cpu.max" : "cpu.cfs_quota_us"],
      ["cpuset", "cpuset.cpus"],
    ] as const;
    const limits = () => names.map(([controller, file]) => held(pid, controller, file));
    const before = limits();
    const refused = {
      memory: { limit: 80 * MiB, swap: 90 * MiB },
      pids: { limit: 5 },
      cpu: { quota: 10 },
    };
    const document = JSON.stringify(refused);
    const output = await runtime.run(["update", "--resources", "-", id], { stdin: document });
    const [file, value] = v2 ? ["cpu.max", "10 100000"] : ["cpu.cfs_quota_us", "10"];
    const path = `${cgroupsOf(pid)[v2 ? "" : "cpu"]}/${file}`;
    assertEquals(output, {
      code: 1,
      stdout: "",
      stderr: `runts: update "${id}": cpu.quota: write "${value}" to "${path}": EINVAL (invalid ` +
        "argument): quota and period are at least 1000 µs, the period at most 1000000 µs, and " +
        "no more than the cgroup above has\n",
    });
    assertEquals(limits(), before);
  });
});

cgroupTest("update refuses a limit below what is used when it is told to check", [], async () => {
  await withLimits({ memory: { limit: 64 * MiB } }, async (runtime, id, pid) => {
    const document = JSON.stringify({
      memory: { limit: 4096, checkBeforeUpdate: true },
      pids: { limit: 3 },
    });
    const output = await runtime.run(["update", "--resources", "-", id], { stdin: document });
    assertEquals(output.code, 1);
    const text = output.stderr.replace(/uses \d+ bytes/, "uses N bytes");
    assertEquals(
      text,
      `runts: update "${id}": memory.limit: limit memory to 4096 bytes: the container uses N ` +
        "bytes, and checkBeforeUpdate is set\n",
    );
    assertEquals(held(pid, "pids", "pids.max"), "max");
  });
});

cgroupTest("device rules: what is not allowed cannot be opened", [], async () => {
  await withRuntime(async (runtime) => {
    const output = await runtime.container((config) => {
      config.linux.resources = {
        devices: [
          { allow: false, access: "rwm" },
          // The host has no such device, which it says only to those who may ask.
          { allow: true, type: "c", major: 1, minor: 12, access: "r" },
        ],
      };
      config.linux.devices = [{ type: "c", path: "/dev/none", major: 1, minor: 12 }];
      const script =
        "true >/dev/null && head -c1 /dev/zero | wc -c; cat /dev/none; true >/dev/none";
      config.process.args = ["sh", "-c", script];
    });
    assertEquals(output, {
      code: 1,
      stdout: "1\n",
      stderr: "cat: can't open '/dev/none': No such device or address\n" +
        "sh: can't create /dev/none: Operation not permitted\n",
    });
  });
});

cgroupTest("device rules do not lapse while they are changed", [], async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.root.readonly = false;
      config.linux.resources = { devices: [{ allow: false, access: "rwm" }] };
      const script = "while true; do cat /dev/null || echo lapsed >>/tmp/log; done";
      config.process.args = ["sh", "-c", script];
    });
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await runtime.ok(["start", id]);
    const more = [{ allow: false }, { allow: true, type: "c", major: 1, minor: 12, access: "r" }];
    for (const devices of [more, [{ allow: false }], more]) {
      const stdin = JSON.stringify({ devices });
      await runtime.ok(["update", "--resources", "-", id], { stdin });
    }
    await runtime.ok(["delete", "--force", id]);
    assertEquals([...Deno.readDirSync(`${bundle.rootfs}/tmp`)], []);
  });
});

/** Files that the flags of update are about, by version. */
const UPDATED = {
  v1: [
    ["memory", "memory.limit_in_bytes"],
    ["memory", "memory.memsw.limit_in_bytes"],
    ["memory", "memory.soft_limit_in_bytes"],
    ["cpu", "cpu.shares"],
    ["cpu", "cpu.cfs_quota_us"],
    ["cpu", "cpu.cfs_period_us"],
    ["cpuset", "cpuset.cpus"],
    ["pids", "pids.max"],
  ],
  // Versions of runc differ in what cpu.weight they make of shares.
  v2: ["memory.max", "memory.swap.max", "memory.low", "cpu.max", "cpuset.cpus", "pids.max"]
    .map((file) => ["", file]),
} as const;

cgroupTest("update leaves the kernel with what runc's update does", [], async (host) => {
  const files = UPDATED[host.mode === "v2" ? "v2" : "v1"];
  const outcome = async (runtime: TestRuntime) => {
    const id = runtime.id();
    using bundle = new Bundle((config) => config.process.args = SLEEP);
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    const cgroups = ownCgroups(pid, id);
    const seen: string[][] = [];
    for (const flags of UPDATES) {
      const { code, stdout } = await runtime.run(["update", ...flags, id]);
      const values = files.map(([controller = "", file = ""]) => held(pid, controller, file));
      seen.push([flags.join(" "), String(code), stdout, ...values]);
    }
    await runtime.ok(["delete", "--force", id]);
    if (runtime.executable === RUNC) await removeLeft(cgroups);
    assertEquals(cgroups.filter(exists), []);
    return seen;
  };
  await withRuntime(async (runtime) => {
    assertEquals(
      await outcome(runtime),
      await outcome(new TestRuntime(runtime.root, RUNC)),
    );
  });
});

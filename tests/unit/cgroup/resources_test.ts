import { assertEquals, assertThrows } from "@std/assert";
import { settingsV1 } from "../../../lib/cgroup/v1/resources.ts";
import { ioWeight, settingsV2, weightOfShares } from "../../../lib/cgroup/v2/resources.ts";
import type { Setting } from "../../../lib/cgroup/settings.ts";
import type { Resources } from "../../../lib/spec/types/config.ts";

const CONFIG = "linux.resources.";

/** As `file|alternative=value|value <- config path`. */
function text(settings: readonly Setting[]): string[] {
  return settings.map(({ forms, configPath, optional }) => {
    const files = forms.map(({ file }) => file).join("|");
    const values = [...new Set(forms.map(({ value }) => value))].join("|");
    return `${files}${optional ? "?" : ""}=${values} <- ${configPath.replace(CONFIG, "")}`;
  });
}

function v1(resources: Resources): string[] {
  return text(settingsV1(resources, CONFIG));
}

function v2(resources: Resources, files: Record<string, string> = {}): string[] {
  return text(settingsV2(resources, CONFIG, (file) => files[file]));
}

const WHOLE: Resources = {
  memory: { limit: 1000, reservation: 500, swap: 1500, checkBeforeUpdate: true },
  cpu: { shares: 1024, quota: 5000, period: 10000, burst: 7, cpus: "0-1", mems: "0", idle: 0 },
  pids: { limit: 9 },
  blockIO: {
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 20 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1024 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 2n ** 60n }],
  },
  hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }],
  rdma: { mlx5: { hcaHandles: 3, hcaObjects: 4 }, hfi: { hcaObjects: 5 } },
};

Deno.test("settingsV1: every limit has its file, value and config path", () => {
  assertEquals(v1(WHOLE), [
    "cpuset.cpus=0-1 <- cpu.cpus",
    "cpuset.mems=0 <- cpu.mems",
    "memory.limit_in_bytes=1000 <- memory.limit",
    "memory.memsw.limit_in_bytes=1500 <- memory.swap",
    "memory.soft_limit_in_bytes=500 <- memory.reservation",
    "cpu.shares=1024 <- cpu.shares",
    "cpu.cfs_period_us=10000 <- cpu.period",
    "cpu.cfs_quota_us=5000 <- cpu.quota",
    "cpu.cfs_burst_us=7 <- cpu.burst",
    "cpu.idle=0 <- cpu.idle",
    "pids.max=9 <- pids.limit",
    "blkio.weight|blkio.bfq.weight=500 <- blockIO.weight",
    "blkio.weight_device|blkio.bfq.weight_device=8:0 20 <- blockIO.weightDevice[0].weight",
    "blkio.throttle.read_bps_device=8:0 1024 <- blockIO.throttleReadBpsDevice[0]",
    "blkio.throttle.write_iops_device=8:16 1152921504606846976 <- " +
    "blockIO.throttleWriteIOPSDevice[0]",
    "hugetlb.2MB.limit_in_bytes=4194304 <- hugepageLimits[0]",
    "hugetlb.2MB.rsvd.limit_in_bytes?=4194304 <- hugepageLimits[0]",
    'rdma.max=mlx5 hca_handle=3 hca_object=4 <- rdma["mlx5"]',
    'rdma.max=hfi hca_object=5 <- rdma["hfi"]',
  ]);
});

Deno.test("settingsV2: every limit has its file, value and config path", () => {
  assertEquals(
    v2({ ...WHOLE, unified: { "memory.high": "900", "io.max": "8:0 rbps=1\n8:1 rbps=2\n" } }),
    [
      "cpuset.cpus=0-1 <- cpu.cpus",
      "cpuset.mems=0 <- cpu.mems",
      "memory.max=1000 <- memory.limit",
      "memory.swap.max=500 <- memory.swap",
      "memory.low=500 <- memory.reservation",
      "cpu.weight=100 <- cpu.shares",
      "cpu.max=5000 10000 <- cpu.quota",
      "cpu.max.burst=7 <- cpu.burst",
      "cpu.idle=0 <- cpu.idle",
      "pids.max=9 <- pids.limit",
      "io.bfq.weight|io.weight=default 500|default 4950 <- blockIO.weight",
      "io.bfq.weight|io.weight=8:0 20|8:0 102 <- blockIO.weightDevice[0].weight",
      "io.max=8:0 rbps=1024 <- blockIO.throttleReadBpsDevice[0]",
      "io.max=8:16 wiops=1152921504606846976 <- blockIO.throttleWriteIOPSDevice[0]",
      "hugetlb.2MB.max=4194304 <- hugepageLimits[0]",
      "hugetlb.2MB.rsvd.max?=4194304 <- hugepageLimits[0]",
      'rdma.max=mlx5 hca_handle=3 hca_object=4 <- rdma["mlx5"]',
      'rdma.max=hfi hca_object=5 <- rdma["hfi"]',
      'memory.high=900 <- unified["memory.high"]',
      'io.max=8:0 rbps=1 <- unified["io.max"]',
      'io.max=8:1 rbps=2 <- unified["io.max"]',
    ],
  );
});

Deno.test("what only v1 has is written there", () => {
  const resources: Resources = {
    memory: {
      kernel: 10,
      kernelTCP: 20,
      swappiness: 0,
      disableOOMKiller: true,
      useHierarchy: true,
    },
    cpu: { realtimeRuntime: 1, realtimePeriod: 2 },
    blockIO: { leafWeight: 11, weightDevice: [{ major: 8, minor: 0, leafWeight: 12 }] },
    network: { classID: 0x100001, priorities: [{ name: "eth0", priority: 5 }] },
  };
  assertEquals(v1(resources), [
    "memory.kmem.limit_in_bytes=10 <- memory.kernel",
    "memory.kmem.tcp.limit_in_bytes=20 <- memory.kernelTCP",
    "memory.swappiness=0 <- memory.swappiness",
    "memory.oom_control=1 <- memory.disableOOMKiller",
    "memory.use_hierarchy=1 <- memory.useHierarchy",
    "cpu.rt_period_us=2 <- cpu.realtimePeriod",
    "cpu.rt_runtime_us=1 <- cpu.realtimeRuntime",
    "blkio.leaf_weight=11 <- blockIO.leafWeight",
    "blkio.leaf_weight_device=8:0 12 <- blockIO.weightDevice[0].leafWeight",
    "net_cls.classid=1048577 <- network.classID",
    "net_prio.ifpriomap=eth0 5 <- network.priorities[0]",
  ]);
});

Deno.test("what only v1 has is an error on v2, naming the config path", () => {
  const cases: [Resources, string][] = [
    [
      { memory: { kernel: 10 } },
      "memory.kernel: cannot be set: cgroup v2 has nothing like it: kernel memory counts as memory there",
    ],
    [
      { memory: { kernelTCP: 10 } },
      "memory.kernelTCP: cannot be set: cgroup v2 has nothing like it: socket buffers count as memory there",
    ],
    [
      { memory: { swappiness: 60 } },
      "memory.swappiness: cannot be set: cgroup v2 has nothing like it: it is one value for the host",
    ],
    [
      { memory: { disableOOMKiller: true } },
      "memory.disableOOMKiller: cannot be set: cgroup v2 has nothing like it: use unified memory.high",
    ],
    [
      { memory: { useHierarchy: false } },
      "memory.useHierarchy: cannot be set: cgroup v2 has nothing like it: limits always hold for children",
    ],
    [
      { cpu: { realtimeRuntime: 1 } },
      "cpu.realtimeRuntime: cannot be set: cgroup v2 has nothing like it: realtime is not limited there",
    ],
    [
      { cpu: { realtimePeriod: 1 } },
      "cpu.realtimePeriod: cannot be set: cgroup v2 has nothing like it: realtime is not limited there",
    ],
    [
      { blockIO: { leafWeight: 10 } },
      "blockIO.leafWeight: cannot be set: cgroup v2 has nothing like it: leaves have no weight of their own",
    ],
    [
      { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } },
      "blockIO.weightDevice: cannot be set: cgroup v2 has nothing like it: leaves have no weight of their own: leave out leafWeight",
    ],
    [
      { network: { classID: 1 } },
      "network.classID: cannot be set: cgroup v2 has nothing like it: match the cgroup's path by netfilter",
    ],
    [
      { network: { priorities: [{ name: "a", priority: 1 }] } },
      "network.priorities: cannot be set: cgroup v2 has nothing like it: there is no net_prio",
    ],
  ];
  for (const [resources, message] of cases) {
    const error = assertThrows(() => v2(resources), Error);
    assertEquals(error.message, CONFIG + message);
  }
});

Deno.test("what v1 has beyond v2 is no error on v2 as long as it asks for nothing", () => {
  assertEquals(
    v2({ memory: { kernel: -1, kernelTCP: 0, disableOOMKiller: false, useHierarchy: true } }),
    [],
  );
  assertEquals(v2({ cpu: { realtimeRuntime: 0 }, network: { classID: 0, priorities: [] } }), []);
});

Deno.test("zero leaves limits alone, but not burst, idle and swappiness", () => {
  const zeros: Resources = {
    memory: { limit: 0, swap: 0, reservation: 0, swappiness: 0 },
    cpu: { shares: 0, quota: 0, period: 0, burst: 0, idle: 0, cpus: "" },
    blockIO: { weight: 0 },
  };
  assertEquals(v1(zeros), [
    "memory.swappiness=0 <- memory.swappiness",
    "cpu.cfs_burst_us=0 <- cpu.burst",
    "cpu.idle=0 <- cpu.idle",
  ]);
});

Deno.test("-1 is no limit; unlimited memory lifts the limit of memory and swap", () => {
  assertEquals(v1({ memory: { limit: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } }), [
    "memory.limit_in_bytes=-1 <- memory.limit",
    "memory.memsw.limit_in_bytes?=-1 <- memory.limit",
    "cpu.cfs_quota_us=-1 <- cpu.quota",
    "pids.max=max <- pids.limit",
  ]);
  assertEquals(v2({ memory: { limit: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } }), [
    "memory.max=max <- memory.limit",
    "memory.swap.max?=max <- memory.swap",
    "cpu.max=max 100000 <- cpu.quota",
    "pids.max=max <- pids.limit",
  ]);
});

Deno.test("pids.limit of 0 allows init and nothing else", () => {
  assertEquals(v1({ pids: { limit: 0 } }), ["pids.max=1 <- pids.limit"]);
  assertEquals(v2({ pids: {} }), []);
});

Deno.test("swap on v2 is the difference to the limit of memory, given or current", () => {
  assertEquals(v2({ memory: { limit: 100, swap: 100 } })[1], "memory.swap.max=0 <- memory.swap");
  assertEquals(v2({ memory: { swap: -1 } }), ["memory.swap.max?=max <- memory.swap"]);
  assertEquals(v2({ memory: { limit: -1, swap: 70 } })[1], "memory.swap.max=70 <- memory.swap");
  assertEquals(v2({ memory: { swap: 150 } }, { "memory.max": "100" }), [
    "memory.swap.max=50 <- memory.swap",
  ]);
  const unlimited = assertThrows(
    () => v2({ memory: { swap: 150 } }, { "memory.max": "max" }),
    Error,
  );
  assertEquals(
    unlimited.message,
    "linux.resources.memory.swap: cannot be set: swap is memory and swap together, and there is " +
      "no limit of memory to subtract: set memory.limit too",
  );
  for (const version of [v1, v2]) {
    const less = assertThrows(() => version({ memory: { limit: 100, swap: 99 } }), Error);
    assertEquals(
      less.message,
      "linux.resources.memory.swap: cannot be set: 99 is less than the limit of memory, 100",
    );
  }
});

Deno.test("quota and period on v2 keep the one that is not given", () => {
  const current = { "cpu.max": "20000 50000" };
  assertEquals(v2({ cpu: { quota: 10000 } }, current), ["cpu.max=10000 50000 <- cpu.quota"]);
  assertEquals(v2({ cpu: { period: 40000 } }, current), ["cpu.max=20000 40000 <- cpu.period"]);
  assertEquals(v2({ cpu: { period: 40000 } }), ["cpu.max=max 40000 <- cpu.period"]);
});

Deno.test("weightOfShares fits minimum, default and maximum", () => {
  assertEquals([0, 1, 2, 1024, 262144, 300000].map(weightOfShares), [1, 1, 1, 100, 10000, 10000]);
  assertEquals([512, 2048].map(weightOfShares), [59, 174]);
});

Deno.test("ioWeight is linear", () => {
  assertEquals([10, 100, 1000].map(ioWeight), [1, 910, 10000]);
});

Deno.test("a rate of 0 lifts a throttle", () => {
  const resources = { blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 0 }] } };
  assertEquals(v1(resources)[0]?.split(" <-")[0], "blkio.throttle.read_bps_device=8:0 0");
  assertEquals(v2(resources)[0]?.split(" <-")[0], "io.max=8:0 rbps=max");
});

Deno.test("impossible values are errors before anything is written", () => {
  const cases: [() => unknown, string][] = [
    [
      () => v1({ unified: { "memory.high": "1" } }),
      "unified: cannot be set: it is for cgroup v2, and this host has v1",
    ],
    [
      () => v2({ cpu: { quota: 10, burst: 11 } }),
      "cpu.burst: cannot be set: 11 is more than cpu.quota, 10",
    ],
    [
      () => v1({ memory: { swappiness: 101 } }),
      "memory.swappiness: cannot be set: 101 is not from 0 to 100",
    ],
    [
      () => v1({ hugepageLimits: [{ pageSize: "2M", limit: 1 }] }),
      'hugepageLimits[0].pageSize: cannot be set: "2M" is no size like "2MB"',
    ],
    [
      () => v2({ unified: { "../x.y": "1" } }),
      'unified["../x.y"]: cannot be set: it is not the name of a cgroup file, like memory.high',
    ],
    [
      () => v2({ unified: { memory: "1" } }),
      'unified["memory"]: cannot be set: it is not the name of a cgroup file, like memory.high',
    ],
  ];
  for (const [call, message] of cases) {
    assertEquals(assertThrows(call, Error).message, CONFIG + message);
  }
});

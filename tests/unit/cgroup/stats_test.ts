import { assertEquals } from "@std/assert";
import { plus, sparse, times, toWide } from "../../../lib/cgroup/stats/parse.ts";
import { parseBlkio, statsV1 } from "../../../lib/cgroup/stats/v1.ts";
import { parseIoStat, statsV2 } from "../../../lib/cgroup/stats/v2.ts";

Deno.test("toWide loses no digit, and max is the largest number", () => {
  assertEquals(toWide("12"), 12);
  assertEquals(toWide("9223372036854771712"), 9223372036854771712n);
  assertEquals(toWide("max"), 18446744073709551615n);
  assertEquals([toWide("-1"), toWide(""), toWide(undefined), toWide("x")], [-1, 0, 0, 0]);
});

Deno.test("sums and products stay exact and within 64 bits", () => {
  assertEquals(times(10, 1000), 10000);
  assertEquals(times(9007199254740991, 1000), 9007199254740991000n);
  assertEquals(plus(18446744073709551615n, 5), 18446744073709551615n);
});

Deno.test("sparse leaves out zeros and empty lists", () => {
  assertEquals(sparse({ a: 0, b: 1, c: [], d: "x", e: undefined }), { b: 1, d: "x" });
});

Deno.test("parseBlkio skips the total of all devices", () => {
  assertEquals(parseBlkio("8:0 Read 10\n8:0 Total 10\n8:16 12\nTotal 22"), [
    { major: 8, op: "Read", value: 10 },
    { major: 8, op: "Total", value: 10 },
    { major: 8, minor: 16, value: 12 },
  ]);
});

Deno.test("parseIoStat tells bytes and operations apart", () => {
  assertEquals(parseIoStat("8:0 rbytes=10 wbytes=0 rios=1 wios=2 dbytes=0 dios=0 cost.usage=3"), {
    bytes: [
      { major: 8, op: "Read", value: 10 },
      { major: 8, op: "Write" },
      { major: 8, op: "Discard" },
    ],
    counts: [
      { major: 8, op: "Read", value: 1 },
      { major: 8, op: "Write", value: 2 },
      { major: 8, op: "Discard" },
    ],
  });
});

const ZERO_CPUSET = {
  cpu_exclusive: 0,
  mem_hardwall: 0,
  mem_exclusive: 0,
  memory_migrate: 0,
  memory_spread_page: 0,
  memory_spread_slab: 0,
  memory_pressure: 0,
  sched_load_balance: 0,
  sched_relax_domain_level: 0,
};

function withFiles(files: Record<string, string>, body: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    for (const [name, content] of Object.entries(files)) {
      Deno.writeTextFileSync(`${directory}/${name}`, content + "\n");
    }
    body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("statsV2 tells v2 files in the terms of v1", () => {
  const pressure = "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\n" +
    "full avg10=0.00 avg60=0.00 avg300=0.25 total=3";
  const files = {
    "cpu.stat":
      "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 3\nthrottled_usec 2",
    "cpu.pressure": pressure,
    "memory.stat": "anon 5\nfile 6",
    "memory.max": "100",
    "memory.current": "50",
    "memory.peak": "60",
    "memory.swap.max": "40",
    "memory.swap.current": "1",
    "pids.current": "2",
    "pids.max": "max",
    "cpuset.cpus.effective": "0-1",
  };
  withFiles(files, (directory) => {
    assertEquals(statsV2(directory), {
      cpu: {
        usage: { total: 30000, kernel: 10000, user: 20000 },
        throttling: { periods: 4, throttledPeriods: 3, throttledTime: 2000 },
        psi: {
          some: { avg10: 1.5, avg60: 0, avg300: 0, total: 7 },
          full: { avg10: 0, avg60: 0, avg300: 0.25, total: 3 },
        },
      },
      cpuset: { cpus: [0, 1], ...ZERO_CPUSET },
      memory: {
        cache: 6,
        usage: { limit: 100, usage: 50, max: 60, failcnt: 0 },
        swap: { limit: 140, usage: 51, max: 60, failcnt: 0 },
        kernel: { limit: 0, failcnt: 0 },
        kernelTCP: { limit: 0, failcnt: 0 },
        raw: { anon: 5, file: 6 },
      },
      pids: { current: 2 },
      blkio: {},
      hugetlb: {},
      intel_rdt: {},
      network_interfaces: null,
    });
  });
});

Deno.test("statsV1 tells no times of CPUs where none are counted", () => {
  assertEquals(statsV1({ pids: "/nonexistent" }).cpu, {
    usage: { kernel: 0, user: 0 },
    throttling: {},
  });
});

Deno.test("statsV1 reads each controller's own directory", () => {
  const cpuacct = {
    "cpuacct.usage": "100",
    "cpuacct.usage_percpu": "60 40 ",
    "cpuacct.usage_all": "cpu user system\n0 50 10\n1 30 10",
    "cpuacct.stat": "user 3\nsystem 2",
    "cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0",
  };
  withFiles(cpuacct, (directory) => {
    const { cpu, memory, pids } = statsV1({ cpu: directory, cpuacct: directory });
    assertEquals(cpu, {
      usage: {
        total: 100,
        percpu: [60, 40],
        percpu_kernel: [10, 10],
        percpu_user: [50, 30],
        kernel: 20_000_000,
        user: 30_000_000,
      },
      throttling: {},
    });
    assertEquals(memory.usage, { limit: 0, failcnt: 0 });
    assertEquals(pids, {});
  });
});

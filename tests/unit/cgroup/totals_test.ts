/** What statistics come to. */

import { assertEquals } from "@std/assert";
import { totalsOf } from "../../../lib/cgroup/stats/totals.ts";
import type { BlkioEntry, Stats } from "../../../lib/cgroup/stats/types.ts";

const NONE = { limit: 0, failcnt: 0 };
const EMPTY: Stats = {
  cpu: { usage: { kernel: 0, user: 0 }, throttling: {} },
  cpuset: {
    ...{ cpu_exclusive: 0, mem_hardwall: 0, mem_exclusive: 0, memory_migrate: 0 },
    ...{ memory_spread_page: 0, memory_spread_slab: 0, memory_pressure: 0 },
    ...{ sched_load_balance: 0, sched_relax_domain_level: 0 },
  },
  memory: { usage: NONE, swap: NONE, kernel: NONE, kernelTCP: NONE },
  pids: {},
  blkio: {},
  hugetlb: {},
  intel_rdt: {},
  network_interfaces: null,
};

const entry = (op: string, value: number): BlkioEntry => ({ major: 8, minor: 0, op, value });

Deno.test("what the host does not tell is absent", () => {
  assertEquals(totalsOf(EMPTY), {
    ...{ cpuKernel: 0, cpuUser: 0, read: 0, written: 0, transferred: 0, operations: 0 },
  });
});

Deno.test("disks of all devices are summed up, by the lines for sums where there are some", () => {
  const v1 = [entry("Read", 1), entry("Write", 2), entry("Async", 3), entry("Total", 3)];
  const v2 = [entry("read", 4), entry("write", 5), entry("discard", 9), entry("read", 6)];
  const blkio = { ioServiceBytesRecursive: [...v1, ...v1], ioServicedRecursive: v2 };
  const { read, written, transferred, operations } = totalsOf({ ...EMPTY, blkio });
  assertEquals([read, written, transferred, operations], [2, 4, 6, 15]);
});

Deno.test("numbers are plain, and the kernel's memory is where the version has it", () => {
  const memory = {
    ...EMPTY.memory,
    usage: { ...NONE, usage: 5n },
    swap: { ...NONE, usage: 7 },
    raw: { kernel: 3 },
  };
  const cpu = { usage: { total: 9n, kernel: 4, user: 5 }, throttling: {} };
  const totals = totalsOf({ ...EMPTY, cpu, memory });
  assertEquals(
    [totals.cpuTime, totals.memory, totals.memoryAndSwap, totals.kernelMemory],
    [9, 5, 7, 3],
  );
  const v1 = { ...memory, kernel: { ...NONE, usage: 11 } };
  assertEquals(totalsOf({ ...EMPTY, memory: v1 }).kernelMemory, 11);
});

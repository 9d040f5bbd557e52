/** The statistics of a container, in the schema of `runc events --stats` (types/events.go). */

import type { Wide } from "../../spec/types/config.ts";

/** Times in ns, sizes in bytes. What is zero may be absent, where runc leaves it out. */
export interface Stats {
  readonly cpu: CpuStats;
  readonly cpuset: CpusetStats;
  readonly memory: MemoryStats;
  readonly pids: { readonly current?: Wide; readonly limit?: Wide };
  readonly blkio: BlkioStats;
  readonly hugetlb: Readonly<Record<string, HugetlbStats>>;
  readonly intel_rdt: Readonly<Record<string, never>>;
  readonly network_interfaces: null;
}

export interface CpuStats {
  readonly usage: {
    readonly total?: Wide;
    readonly percpu?: readonly Wide[];
    readonly percpu_kernel?: readonly Wide[];
    readonly percpu_user?: readonly Wide[];
    readonly kernel: Wide;
    readonly user: Wide;
  };
  readonly throttling: {
    readonly periods?: Wide;
    readonly throttledPeriods?: Wide;
    readonly throttledTime?: Wide;
  };
  readonly psi?: Pressure;
}

export interface CpusetStats {
  readonly cpus?: readonly number[];
  readonly cpu_exclusive: number;
  readonly mems?: readonly number[];
  readonly mem_hardwall: number;
  readonly mem_exclusive: number;
  readonly memory_migrate: number;
  readonly memory_spread_page: number;
  readonly memory_spread_slab: number;
  readonly memory_pressure: number;
  readonly sched_load_balance: number;
  readonly sched_relax_domain_level: number;
}

export interface MemoryEntry {
  readonly limit: Wide;
  readonly usage?: Wide;
  readonly max?: Wide;
  readonly failcnt: Wide;
}

export interface MemoryStats {
  readonly cache?: Wide;
  readonly usage: MemoryEntry;
  /** Memory and swap together, also on v2. */
  readonly swap: MemoryEntry;
  readonly kernel: MemoryEntry;
  readonly kernelTCP: MemoryEntry;
  /** memory.stat as it is. */
  readonly raw?: Readonly<Record<string, Wide>>;
  readonly psi?: Pressure;
}

export interface BlkioEntry {
  readonly major?: number;
  readonly minor?: number;
  readonly op?: string;
  readonly value?: Wide;
}

export interface BlkioStats {
  readonly ioServiceBytesRecursive?: readonly BlkioEntry[];
  readonly ioServicedRecursive?: readonly BlkioEntry[];
  readonly ioQueueRecursive?: readonly BlkioEntry[];
  readonly ioServiceTimeRecursive?: readonly BlkioEntry[];
  readonly ioWaitTimeRecursive?: readonly BlkioEntry[];
  readonly ioMergedRecursive?: readonly BlkioEntry[];
  readonly ioTimeRecursive?: readonly BlkioEntry[];
  readonly sectorsRecursive?: readonly BlkioEntry[];
  readonly psi?: Pressure;
}

export interface HugetlbStats {
  readonly usage?: Wide;
  readonly max?: Wide;
  readonly failcnt: Wide;
}

/** Pressure stall information (Documentation/accounting/psi.rst of Linux): percent, and µs. */
export interface Pressure {
  readonly some: PressureLine;
  readonly full: PressureLine;
}

export interface PressureLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: Wide;
}

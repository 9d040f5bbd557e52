/** The statistics of a container, in the schema of `runc events --stats` (types/events.go). */

import type { Wide } from "../../spec/types/config.ts";

/** Times in ns, sizes in bytes. What is zero may be absent, where runc leaves it out. */
export interface Stats {
  /** Time on processors. */
  readonly cpu: CpuStats;
  /** Which processors and memory nodes. */
  readonly cpuset: CpusetStats;
  /** Memory. */
  readonly memory: MemoryStats;
  /** Number of tasks. */
  readonly pids: { readonly current?: Wide; readonly limit?: Wide };
  /** Disks. */
  readonly blkio: BlkioStats;
  /** Huge pages, by their size. */
  readonly hugetlb: Readonly<Record<string, HugetlbStats>>;
  /** Always empty. */
  readonly intel_rdt: Readonly<Record<string, never>>;
  /** Always null. */
  readonly network_interfaces: null;
}

/** Time on processors. */
export interface CpuStats {
  /** What was used: in all, by processor, in the kernel and outside. */
  readonly usage: {
    readonly total?: Wide;
    readonly percpu?: readonly Wide[];
    readonly percpu_kernel?: readonly Wide[];
    readonly percpu_user?: readonly Wide[];
    readonly kernel: Wide;
    readonly user: Wide;
  };
  /** Periods in which the quota was used up. */
  readonly throttling: {
    readonly periods?: Wide;
    readonly throttledPeriods?: Wide;
    readonly throttledTime?: Wide;
  };
  /** How long tasks have waited for a processor. */
  readonly psi?: Pressure;
}

/** The files of the cpuset controller. */
export interface CpusetStats {
  /** Numbers of processors. */
  readonly cpus?: readonly number[];
  /** cpuset.cpu_exclusive, as those that follow are the files of their names. */
  readonly cpu_exclusive: number;
  /** Numbers of memory nodes. */
  readonly mems?: readonly number[];
  /** 0 or 1. */
  readonly mem_hardwall: number;
  /** 0 or 1. */
  readonly mem_exclusive: number;
  /** 0 or 1. */
  readonly memory_migrate: number;
  /** 0 or 1. */
  readonly memory_spread_page: number;
  /** 0 or 1. */
  readonly memory_spread_slab: number;
  /** How often memory was reclaimed directly. */
  readonly memory_pressure: number;
  /** 0 or 1. */
  readonly sched_load_balance: number;
  /** -1 to 5. */
  readonly sched_relax_domain_level: number;
}

/** One kind of memory. */
export interface MemoryEntry {
  /** Most that may be used. */
  readonly limit: Wide;
  /** What is used. */
  readonly usage?: Wide;
  /** Most that was used. */
  readonly max?: Wide;
  /** How often the limit was hit. */
  readonly failcnt: Wide;
}

/** Memory. */
export interface MemoryStats {
  /** Of files. */
  readonly cache?: Wide;
  /** All that counts. */
  readonly usage: MemoryEntry;
  /** Memory and swap together, also on v2. */
  readonly swap: MemoryEntry;
  /** The kernel's for the container; version 1. */
  readonly kernel: MemoryEntry;
  /** TCP buffers; version 1. */
  readonly kernelTCP: MemoryEntry;
  /** memory.stat as it is. */
  readonly raw?: Readonly<Record<string, Wide>>;
  /** How long tasks have waited for memory. */
  readonly psi?: Pressure;
}

/** One figure of one device. */
export interface BlkioEntry {
  /** Of the device. */
  readonly major?: number;
  /** Of the device. */
  readonly minor?: number;
  /** `Read`, `Write`, … */
  readonly op?: string;
  /** The figure. */
  readonly value?: Wide;
}

/** Disks. */
export interface BlkioStats {
  /** Bytes. */
  readonly ioServiceBytesRecursive?: readonly BlkioEntry[];
  /** Requests. */
  readonly ioServicedRecursive?: readonly BlkioEntry[];
  /** Requests that wait. */
  readonly ioQueueRecursive?: readonly BlkioEntry[];
  /** Time between dispatch and end. */
  readonly ioServiceTimeRecursive?: readonly BlkioEntry[];
  /** Time in queues. */
  readonly ioWaitTimeRecursive?: readonly BlkioEntry[];
  /** Requests that were merged. */
  readonly ioMergedRecursive?: readonly BlkioEntry[];
  /** Time of the disk, in ms. */
  readonly ioTimeRecursive?: readonly BlkioEntry[];
  /** Sectors. */
  readonly sectorsRecursive?: readonly BlkioEntry[];
  /** How long tasks have waited for disks. */
  readonly psi?: Pressure;
}

/** Huge pages of one size. */
export interface HugetlbStats {
  /** What is used. */
  readonly usage?: Wide;
  /** Most that was used. */
  readonly max?: Wide;
  /** How often the limit was hit. */
  readonly failcnt: Wide;
}

/** Pressure stall information (Documentation/accounting/psi.rst of Linux): percent, and µs. */
export interface Pressure {
  /** While at least one task waited. */
  readonly some: PressureLine;
  /** While all of them did. */
  readonly full: PressureLine;
}

/** Shares of time in which tasks waited. */
export interface PressureLine {
  /** Percent of the last 10 s. */
  readonly avg10: number;
  /** Percent of the last minute. */
  readonly avg60: number;
  /** Percent of the last five minutes. */
  readonly avg300: number;
  /** In µs, since the cgroup was made. */
  readonly total: Wide;
}

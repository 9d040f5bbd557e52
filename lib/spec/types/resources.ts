/** config-linux.md, "Control groups": the limits of a container. */

/** A whole number that may lie beyond 2^53; then it is a bigint, so that no digit is lost. */
export type Wide = number | bigint;

/** "Control groups": limits; also the document of `update --resources`. */
export interface Resources {
  /** Which devices may be used. */
  readonly devices?: readonly DeviceRule[];
  /** How much memory. */
  readonly memory?: MemoryResources;
  /** How much time, on which processors. */
  readonly cpu?: CpuResources;
  /** How many processes. */
  readonly pids?: PidsResources;
  /** How much of the disks. */
  readonly blockIO?: BlockIoResources;
  /** How many huge pages, by their size. */
  readonly hugepageLimits?: readonly HugepageLimit[];
  /** Class and priorities of packets. */
  readonly network?: NetworkResources;
  /** Limits by the name of the device. */
  readonly rdma?: Readonly<Record<string, RdmaLimit>>;
  /** cgroup v2: file name to content. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** "Allowed Device list"; applied in order. */
export interface DeviceRule {
  /** Default: false. */
  readonly allow?: boolean;
  /** Absent: `a`, all. */
  readonly type?: "a" | "c" | "b";
  /** Absent or -1: all. */
  readonly major?: number;
  /** As `major`. */
  readonly minor?: number;
  /** Letters of `rwm`; absent or empty: none for runc, all for the kernel's device rules. */
  readonly access?: string;
}

/** "Memory": bytes, -1 is unlimited. */
export interface MemoryResources {
  /** Most that it may use. */
  readonly limit?: Wide;
  /** What it is pushed back to when memory is short. */
  readonly reservation?: Wide;
  /** Memory and swap together. */
  readonly swap?: Wide;
  /** Of kernel memory; version 1. */
  readonly kernel?: Wide;
  /** Of TCP buffers; version 1. */
  readonly kernelTCP?: Wide;
  /** 0 to 100. */
  readonly swappiness?: number;
  /** It waits when memory runs out, instead of being killed; version 1. */
  readonly disableOOMKiller?: boolean;
  /** Those below it count, too; version 1. */
  readonly useHierarchy?: boolean;
  /** A limit below what is used is refused. */
  readonly checkBeforeUpdate?: boolean;
}

/** "CPU"; times in microseconds. */
export interface CpuResources {
  /** Weight beside others; 1024 is usual. */
  readonly shares?: Wide;
  /** Time in each period; -1 is unlimited. */
  readonly quota?: Wide;
  /** What may be saved up of it. */
  readonly burst?: Wide;
  /** Default: 100,000. */
  readonly period?: Wide;
  /** Time of real-time processes in each of their periods. */
  readonly realtimeRuntime?: Wide;
  /** Of that. */
  readonly realtimePeriod?: Wide;
  /** As `0-3,7`, as mems. */
  readonly cpus?: string;
  /** Memory nodes. */
  readonly mems?: string;
  /** 1: SCHED_IDLE. */
  readonly idle?: number;
}

/** "PIDs": -1 is max. */
export interface PidsResources {
  /** Tasks, threads included. */
  readonly limit?: Wide;
}

/** "Block IO". */
export interface BlockIoResources {
  /** 10 to 1000. */
  readonly weight?: number;
  /** Beside the cgroups below it; version 1. */
  readonly leafWeight?: number;
  /** Weights of single devices. */
  readonly weightDevice?: readonly WeightDevice[];
  /** Bytes that are read. */
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  /** Bytes that are written. */
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  /** Reads. */
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  /** Writes. */
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

/** The weight of one device. */
export interface WeightDevice {
  /** Of the device. */
  readonly major: number;
  /** Of the device. */
  readonly minor: number;
  /** 10 to 1000. */
  readonly weight?: number;
  /** Beside the cgroups below it; version 1. */
  readonly leafWeight?: number;
}

/** What one device may do. */
export interface ThrottleDevice {
  /** Of the device. */
  readonly major: number;
  /** Of the device. */
  readonly minor: number;
  /** Bytes, or operations, per second. */
  readonly rate: Wide;
}

/** "Huge page limits". */
export interface HugepageLimit {
  /** As `2MB`. */
  readonly pageSize: string;
  /** Bytes. */
  readonly limit: Wide;
}

/** "Network": net_cls and net_prio of cgroup v1. */
export interface NetworkResources {
  /** Mark of its packets (net_cls). */
  readonly classID?: number;
  /** By the interface that they leave by (net_prio). */
  readonly priorities?: readonly InterfacePriority[];
}

/** The priority of packets that leave by one interface. */
export interface InterfacePriority {
  /** Of the interface in the runtime's network namespace. */
  readonly name: string;
  /** A greater one comes first. */
  readonly priority: number;
}

/** "RDMA". */
export interface RdmaLimit {
  /** Handles that may be open. */
  readonly hcaHandles?: number;
  /** Objects that may be made. */
  readonly hcaObjects?: number;
}

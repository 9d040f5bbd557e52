/** config-linux.md, "Control groups": the limits of a container. */

/** A whole number that may lie beyond 2^53; then it is a bigint, so that no digit is lost. */
export type Wide = number | bigint;

/** "Control groups": limits; also the document of `update --resources`. */
export interface Resources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: MemoryResources;
  readonly cpu?: CpuResources;
  readonly pids?: PidsResources;
  readonly blockIO?: BlockIoResources;
  readonly hugepageLimits?: readonly HugepageLimit[];
  readonly network?: NetworkResources;
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
  readonly minor?: number;
  /** Letters of `rwm`; absent or empty: none for runc, all for the kernel's device rules. */
  readonly access?: string;
}

/** "Memory": bytes, -1 is unlimited. */
export interface MemoryResources {
  readonly limit?: Wide;
  readonly reservation?: Wide;
  /** Memory and swap together. */
  readonly swap?: Wide;
  readonly kernel?: Wide;
  readonly kernelTCP?: Wide;
  /** 0 to 100. */
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** "CPU"; times in microseconds. */
export interface CpuResources {
  readonly shares?: Wide;
  readonly quota?: Wide;
  readonly burst?: Wide;
  readonly period?: Wide;
  readonly realtimeRuntime?: Wide;
  readonly realtimePeriod?: Wide;
  /** As `0-3,7`, as mems. */
  readonly cpus?: string;
  readonly mems?: string;
  /** 1: SCHED_IDLE. */
  readonly idle?: number;
}

/** "PIDs": -1 is max. */
export interface PidsResources {
  readonly limit?: Wide;
}

/** "Block IO". */
export interface BlockIoResources {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly WeightDevice[];
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

export interface WeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface ThrottleDevice {
  readonly major: number;
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
  readonly classID?: number;
  readonly priorities?: readonly InterfacePriority[];
}

export interface InterfacePriority {
  readonly name: string;
  readonly priority: number;
}

/** "RDMA". */
export interface RdmaLimit {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}

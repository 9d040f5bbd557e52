/**
 * The OCI runtime specification 1.3, as far as it concerns Linux. Section names are those of the
 * specification. A document that `parseSpec` or `loadSpec` returned fits these types: properties
 * that were null are gone, unknown ones are still there. An optional text that is empty counts as
 * absent, as it does for those who write these documents in Go.
 */

import type * as names from "../values/names.ts";
import type { Resources, Wide } from "./resources.ts";
import type { Seccomp } from "./seccomp.ts";

export type * from "./features.ts";
export type * from "./resources.ts";
export type * from "./seccomp.ts";
export type * from "./state.ts";

/** config.json ("Configuration"). */
export interface Spec {
  /** Version of the specification that the document follows (SemVer 2.0.0). */
  readonly ociVersion: string;
  readonly root: Root;
  readonly mounts?: readonly Mount[];
  readonly process?: Process;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly hooks?: Hooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: Linux;
}

/** "Root": the root filesystem. */
export interface Root {
  /** Absolute, or relative to the bundle. */
  readonly path: string;
  readonly readonly?: boolean;
}

/** "Mounts". */
export interface Mount {
  /** In the container; a relative one is taken from "/". */
  readonly destination: string;
  readonly source?: string;
  readonly type?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

/** "User namespace mappings", and those of mounts. */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** "Process"; also the document of `exec --process`. */
export interface Process {
  readonly terminal?: boolean;
  readonly consoleSize?: ConsoleSize;
  /** Absolute. */
  readonly cwd: string;
  readonly env?: readonly string[];
  readonly args: readonly string[];
  readonly rlimits?: readonly Rlimit[];
  /** Default: root. */
  readonly user?: Partial<User>;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly capabilities?: Capabilities;
  readonly noNewPrivileges?: boolean;
  readonly oomScoreAdj?: number;
  readonly scheduler?: Scheduler;
  readonly ioPriority?: IoPriority;
  readonly execCPUAffinity?: ExecCpuAffinity;
}

/** Characters; counts only when `terminal` is true. */
export interface ConsoleSize {
  /** Default: 0. */
  readonly height?: number;
  readonly width?: number;
}

/** "POSIX-platform User"; ids are those inside the container's user namespace. */
export interface User {
  /** Default of both: 0, as with runc and crun. */
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** "POSIX process": rlimits. */
export interface Rlimit {
  /** `RLIMIT_NOFILE`, … */
  readonly type: string;
  /** 2^64 - 1 is RLIM_INFINITY. */
  readonly soft: Wide;
  readonly hard: Wide;
}

/** The sets of capabilities(7); names as `CAP_CHOWN`, unknown ones included. */
export interface Capabilities {
  readonly effective?: readonly string[];
  readonly bounding?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

/** "Linux Process": scheduler (sched_setattr(2)). */
export interface Scheduler {
  readonly policy: SchedulerPolicy;
  readonly nice?: number;
  /** Static priority of SCHED_FIFO and SCHED_RR. */
  readonly priority?: number;
  readonly flags?: readonly SchedulerFlag[];
  /** Nanoseconds, as the two that follow; SCHED_DEADLINE. */
  readonly runtime?: Wide;
  readonly deadline?: Wide;
  readonly period?: Wide;
}

export type SchedulerPolicy = (typeof names.SCHEDULER_POLICIES)[number];

export type SchedulerFlag = (typeof names.SCHEDULER_FLAGS)[number];

/** "Linux Process": ioPriority (ioprio_set(2)). */
export interface IoPriority {
  readonly class: (typeof names.IO_PRIORITY_CLASSES)[number];
  /** 0 (highest) to 7; absent is 0. */
  readonly priority?: number;
}

/** "Linux Process": execCPUAffinity, lists as `0-3,7`; of exec only. */
export interface ExecCpuAffinity {
  /** While the process is not yet in the container's cgroup. */
  readonly initial?: string;
  readonly final?: string;
}

/** "POSIX-platform Hooks". */
export type HookKind = (typeof names.HOOK_KINDS)[number];

export type Hooks = { readonly [K in HookKind]?: readonly Hook[] };

export interface Hook {
  /** Absolute. */
  readonly path: string;
  /** argv, argv[0] included. */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds, above 0. */
  readonly timeout?: number;
}

/** config-linux.md, "Linux Container Configuration". */
export interface Linux {
  readonly namespaces?: readonly Namespace[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: TimeOffsets;
  readonly devices?: readonly Device[];
  /** By the name of the device in the runtime's network namespace. */
  readonly netDevices?: Readonly<Record<string, NetDevice>>;
  readonly cgroupsPath?: string;
  readonly resources?: Resources;
  readonly rootfsPropagation?: RootfsPropagation;
  readonly seccomp?: Seccomp;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  /** SELinux context of the mounts. */
  readonly mountLabel?: string;
  readonly personality?: Personality;
  readonly intelRdt?: IntelRdt;
  readonly memoryPolicy?: MemoryPolicy;
}

/** "Namespaces". */
export interface Namespace {
  readonly type: NamespaceType;
  /** Absolute; absent: a new namespace. */
  readonly path?: string;
}

export type NamespaceType = (typeof names.NAMESPACE_TYPES)[number];

/** "Offset for Time Namespace" (time_namespaces(7)). */
export interface TimeOffsets {
  readonly monotonic?: TimeOffset;
  readonly boottime?: TimeOffset;
}

export interface TimeOffset {
  readonly secs?: Wide;
  readonly nanosecs?: number;
}

/** "Devices": nodes to make. */
export interface Device {
  readonly type: "c" | "b" | "u" | "p";
  readonly path: string;
  /** Required unless `type` is `p`. */
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  /** In the container's user namespace, as gid. */
  readonly uid?: number;
  readonly gid?: number;
}

/** "Network Devices". */
export interface NetDevice {
  /** Name inside the container; absent: unchanged. */
  readonly name?: string;
}

export type RootfsPropagation = (typeof names.ROOTFS_PROPAGATIONS)[number];

/** "Personality" (personality(2)). */
export interface Personality {
  readonly domain: "LINUX" | "LINUX32";
  readonly flags?: readonly string[];
}

/** "IntelRdt" (resctrl). */
export interface IntelRdt {
  readonly closID?: string;
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableMonitoring?: boolean;
}

/** "Memory Policy" (set_mempolicy(2)). */
export interface MemoryPolicy {
  readonly mode: MemoryPolicyMode;
  /** As `0-3,7`. */
  readonly nodes?: string;
  readonly flags?: readonly MemoryPolicyFlag[];
}

export type MemoryPolicyMode = (typeof names.MEMORY_POLICY_MODES)[number];

export type MemoryPolicyFlag = (typeof names.MEMORY_POLICY_FLAGS)[number];

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
  /** The root filesystem. */
  readonly root: Root;
  /** What is mounted into it, in this order. */
  readonly mounts?: readonly Mount[];
  /** What is run; required by `start`. */
  readonly process?: Process;
  /** Name of the host, as the program sees it (sethostname(2)). */
  readonly hostname?: string;
  /** NIS domain name (setdomainname(2)). */
  readonly domainname?: string;
  /** Programs that are run at points of the container's life. */
  readonly hooks?: Hooks;
  /** Anything for whoever looks for it. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** What is Linux's own. */
  readonly linux?: Linux;
}

/** "Root": the root filesystem. */
export interface Root {
  /** Absolute, or relative to the bundle. */
  readonly path: string;
  /** Default: false. */
  readonly readonly?: boolean;
}

/** "Mounts". */
export interface Mount {
  /** In the container; a relative one is taken from "/". */
  readonly destination: string;
  /** A device, a path, or a name without meaning; a relative path begins at the bundle. */
  readonly source?: string;
  /** Of the file system; `bind`, or an option `bind` or `rbind`, for what is there already. */
  readonly type?: string;
  /** As mount(8) has them. */
  readonly options?: readonly string[];
  /** Who owns the files, seen through the mount (mount_setattr(2)). */
  readonly uidMappings?: readonly IdMapping[];
  /** The same for groups. */
  readonly gidMappings?: readonly IdMapping[];
}

/** "User namespace mappings", and those of mounts. */
export interface IdMapping {
  /** First id inside. */
  readonly containerID: number;
  /** The id outside that it stands for. */
  readonly hostID: number;
  /** Number of ids. */
  readonly size: number;
}

/** "Process"; also the document of `exec --process`. */
export interface Process {
  /** Default: false. */
  readonly terminal?: boolean;
  /** Of the terminal. */
  readonly consoleSize?: ConsoleSize;
  /** Absolute. */
  readonly cwd: string;
  /** `NAME=value` each. */
  readonly env?: readonly string[];
  /** argv; the first is looked up in PATH. */
  readonly args: readonly string[];
  /** Limits of resources (setrlimit(2)). */
  readonly rlimits?: readonly Rlimit[];
  /** Default: root. */
  readonly user?: Partial<User>;
  /** Name of a profile that is loaded. */
  readonly apparmorProfile?: string;
  /** Label of the process. */
  readonly selinuxLabel?: string;
  /** Those that it has; none by default. */
  readonly capabilities?: Capabilities;
  /** It cannot gain privileges by executing (PR_SET_NO_NEW_PRIVS(2const)). */
  readonly noNewPrivileges?: boolean;
  /** -1000 to 1000: whom the kernel ends first when memory runs out (proc_pid_oom_score_adj(5)). */
  readonly oomScoreAdj?: number;
  /** How it gets its time on processors. */
  readonly scheduler?: Scheduler;
  /** Which of its requests come first. */
  readonly ioPriority?: IoPriority;
  /** The processors that it may run on. */
  readonly execCPUAffinity?: ExecCpuAffinity;
}

/** Characters; counts only when `terminal` is true. */
export interface ConsoleSize {
  /** Default: 0. */
  readonly height?: number;
  /** Default: 0. */
  readonly width?: number;
}

/** "POSIX-platform User"; ids are those inside the container's user namespace. */
export interface User {
  /** Default of both: 0, as with runc and crun. */
  readonly uid: number;
  /** Its group. */
  readonly gid: number;
  /** Mode bits that it takes away (umask(2)). */
  readonly umask?: number;
  /** Further groups. */
  readonly additionalGids?: readonly number[];
}

/** "POSIX process": rlimits. */
export interface Rlimit {
  /** `RLIMIT_NOFILE`, … */
  readonly type: string;
  /** 2^64 - 1 is RLIM_INFINITY. */
  readonly soft: Wide;
  /** What the soft one may be raised to. */
  readonly hard: Wide;
}

/** The sets of capabilities(7); names as `CAP_CHOWN`, unknown ones included. */
export interface Capabilities {
  /** What counts. */
  readonly effective?: readonly string[];
  /** What executing can give. */
  readonly bounding?: readonly string[];
  /** What is kept across executing, with files that have it, too. */
  readonly inheritable?: readonly string[];
  /** What it may make effective. */
  readonly permitted?: readonly string[];
  /** What is kept across executing. */
  readonly ambient?: readonly string[];
}

/** "Linux Process": scheduler (sched_setattr(2)). */
export interface Scheduler {
  /** sched(7). */
  readonly policy: SchedulerPolicy;
  /** -20 (first) to 19, of SCHED_OTHER and SCHED_BATCH. */
  readonly nice?: number;
  /** Static priority of SCHED_FIFO and SCHED_RR. */
  readonly priority?: number;
  /** sched_setattr(2). */
  readonly flags?: readonly SchedulerFlag[];
  /** Nanoseconds, as the two that follow; SCHED_DEADLINE. */
  readonly runtime?: Wide;
  /** By when the runtime is to be had. */
  readonly deadline?: Wide;
  /** How often it is to be had. */
  readonly period?: Wide;
}

/** Ways of scheduling. */
export type SchedulerPolicy = (typeof names.SCHEDULER_POLICIES)[number];

/** Flags of scheduling. */
export type SchedulerFlag = (typeof names.SCHEDULER_FLAGS)[number];

/** "Linux Process": ioPriority (ioprio_set(2)). */
export interface IoPriority {
  /** ioprio_set(2). */
  readonly class: (typeof names.IO_PRIORITY_CLASSES)[number];
  /** 0 (highest) to 7; absent is 0. */
  readonly priority?: number;
}

/** "Linux Process": execCPUAffinity, lists as `0-3,7`; of exec only. */
export interface ExecCpuAffinity {
  /** While the process is not yet in the container's cgroup. */
  readonly initial?: string;
  /** From then on. */
  readonly final?: string;
}

/** "POSIX-platform Hooks". */
export type HookKind = (typeof names.HOOK_KINDS)[number];

/** Hooks by their kind. */
export type Hooks = { readonly [K in HookKind]?: readonly Hook[] };

/** A program that is run at a point of the container's life; it reads the state document. */
export interface Hook {
  /** Absolute. */
  readonly path: string;
  /** argv, argv[0] included. */
  readonly args?: readonly string[];
  /** `NAME=value` each. */
  readonly env?: readonly string[];
  /** Seconds, above 0. */
  readonly timeout?: number;
}

/** config-linux.md, "Linux Container Configuration". */
export interface Linux {
  /** Those that are not the runtime's own. */
  readonly namespaces?: readonly Namespace[];
  /** Of a new user namespace. */
  readonly uidMappings?: readonly IdMapping[];
  /** Of a new user namespace. */
  readonly gidMappings?: readonly IdMapping[];
  /** Of a new time namespace. */
  readonly timeOffsets?: TimeOffsets;
  /** Nodes in addition to those that every container has. */
  readonly devices?: readonly Device[];
  /** By the name of the device in the runtime's network namespace. */
  readonly netDevices?: Readonly<Record<string, NetDevice>>;
  /** Where its cgroup is: absolute below the root of the hierarchies, `SLICE:PREFIX:NAME` under systemd. */
  readonly cgroupsPath?: string;
  /** Limits. */
  readonly resources?: Resources;
  /** Of the root filesystem (mount_namespaces(7)). */
  readonly rootfsPropagation?: RootfsPropagation;
  /** A filter of system calls. */
  readonly seccomp?: Seccomp;
  /** Kernel parameters of its namespaces, by name. */
  readonly sysctl?: Readonly<Record<string, string>>;
  /** What cannot be read. */
  readonly maskedPaths?: readonly string[];
  /** What cannot be written. */
  readonly readonlyPaths?: readonly string[];
  /** SELinux context of the mounts. */
  readonly mountLabel?: string;
  /** Execution domain (personality(2)). */
  readonly personality?: Personality;
  /** Its class of caches and memory bandwidth. */
  readonly intelRdt?: IntelRdt;
  /** Which nodes its memory comes from. */
  readonly memoryPolicy?: MemoryPolicy;
}

/** "Namespaces". */
export interface Namespace {
  /** namespaces(7). */
  readonly type: NamespaceType;
  /** Absolute; absent: a new namespace. */
  readonly path?: string;
}

/** Kinds of namespaces. */
export type NamespaceType = (typeof names.NAMESPACE_TYPES)[number];

/** "Offset for Time Namespace" (time_namespaces(7)). */
export interface TimeOffsets {
  /** Of CLOCK_MONOTONIC. */
  readonly monotonic?: TimeOffset;
  /** Of CLOCK_BOOTTIME. */
  readonly boottime?: TimeOffset;
}

/** How far a clock is ahead. */
export interface TimeOffset {
  /** Whole seconds. */
  readonly secs?: Wide;
  /** What is added to them. */
  readonly nanosecs?: number;
}

/** "Devices": nodes to make. */
export interface Device {
  /** Character, block, unbuffered character device, or fifo. */
  readonly type: "c" | "b" | "u" | "p";
  /** Absolute, in the container. */
  readonly path: string;
  /** Required unless `type` is `p`. */
  readonly major?: number;
  /** As `major`. */
  readonly minor?: number;
  /** Permissions; default: 0666. */
  readonly fileMode?: number;
  /** In the container's user namespace, as gid. */
  readonly uid?: number;
  /** Default of both: 0. */
  readonly gid?: number;
}

/** "Network Devices". */
export interface NetDevice {
  /** Name inside the container; absent: unchanged. */
  readonly name?: string;
}

/** Ways in which mounts are passed on. */
export type RootfsPropagation = (typeof names.ROOTFS_PROPAGATIONS)[number];

/** "Personality" (personality(2)). */
export interface Personality {
  /** What `uname -m` says: 32 bits with LINUX32. */
  readonly domain: "LINUX" | "LINUX32";
  /** None is defined by the specification. */
  readonly flags?: readonly string[];
}

/** "IntelRdt" (resctrl). */
export interface IntelRdt {
  /** Name of the class; default: the container's id. */
  readonly closID?: string;
  /** Lines of its file of that name. */
  readonly schemata?: readonly string[];
  /** The line of the third level cache. */
  readonly l3CacheSchema?: string;
  /** The line of memory bandwidth. */
  readonly memBwSchema?: string;
  /** A group of its own that is monitored. */
  readonly enableMonitoring?: boolean;
}

/** "Memory Policy" (set_mempolicy(2)). */
export interface MemoryPolicy {
  /** set_mempolicy(2). */
  readonly mode: MemoryPolicyMode;
  /** As `0-3,7`. */
  readonly nodes?: string;
  /** The same page. */
  readonly flags?: readonly MemoryPolicyFlag[];
}

/** Policies of memory. */
export type MemoryPolicyMode = (typeof names.MEMORY_POLICY_MODES)[number];

/** Flags of policies. */
export type MemoryPolicyFlag = (typeof names.MEMORY_POLICY_FLAGS)[number];

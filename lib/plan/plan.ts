/** What the planners take and give. They read no file and make no system call. */

import type { CallerLimit } from "../base/caller_limits.ts";
import type { MountLine } from "../base/mountinfo.ts";
import type { CgroupJoin } from "../cgroup/manager.ts";
import type { ContainerState, IdMapping, Process, Spec } from "../spec/types/config.ts";
import type { Op } from "../wire/ops.ts";
import type { SystemInput } from "./system.ts";

/** A descriptor that runts opens and hands to init; its place in the list is its slot. */
export type PlanSlot =
  /** exec.fifo of the state directory. */
  | { readonly kind: "fifo" }
  /** The writing end of the pipe that carries failures after the start. */
  | { readonly kind: "result" }
  /** Unix socket, connected, that takes the master of the terminal. */
  | { readonly kind: "console" }
  /** The same for a terminal beside it, by its name. */
  | { readonly kind: "terminal"; readonly name: string }
  /** Directory of a cgroup (O_PATH), for CLONE_INTO_CGROUP. */
  | { readonly kind: "cgroup-dir"; readonly path: string }
  /** `tasks` or `cgroup.procs`, open for writing. */
  | { readonly kind: "cgroup-file"; readonly path: string }
  /** A file that hooks append their output to; made if missing. `from`: what names it. */
  | { readonly kind: "hook-output"; readonly path: string; readonly from: string }
  /** A file with the state document that hooks inside read, for one that is in this state. */
  | { readonly kind: "hook-state"; readonly status: InnerState }
  /** A user namespace with these maps, made for an id-mapped mount. */
  | {
    readonly kind: "idmap-userns";
    readonly uidMap: readonly IdMapping[];
    readonly gidMap: readonly IdMapping[];
  }
  /** pidfd of the container's init. */
  | { readonly kind: "pidfd" }
  /** Any other that the verb has, by its name. */
  | { readonly kind: "given"; readonly name: string };

/** What the hooks inside are told of their container: those of create, and those of start. */
export type InnerState = Extract<ContainerState, "creating" | "created">;

/** A hierarchy of cgroups that the host has mounted. */
export interface CgroupHierarchy {
  /** Where the host has it: `/sys/fs/cgroup/cpu,cpuacct`. */
  readonly mountPoint: string;
  /** `cpu`, `cpuacct`, `name=systemd`; empty for v2. */
  readonly controllers: readonly string[];
  /** Directory of the container's cgroup in it, absolute; of runts' own cgroup if it has none. */
  readonly directory: string;
}

/** What a plan depends on beside the configuration. */
export interface PlanHost {
  /** Effective user id of runts. */
  readonly euid: number;
  /** runts itself is in a user namespace other than the first: device nodes cannot be made. */
  readonly inUserNamespace: boolean;
  /**
   * setgroups(2) is denied in the container's user namespace: /proc/self/setgroups says so, or the
   * map will be written without privilege. Default: runts is not root and maps one group only.
   */
  readonly setgroupsDenied?: boolean;
  /** What the caller is limited to, where runts itself is not: it gets what the container has. */
  readonly callerLimits?: readonly CallerLimit[];
  /** The mounted hierarchies; asked only for a mount of type `cgroup`. */
  cgroups(): readonly CgroupHierarchy[];
  /**
   * What the host has mounted below a path; asked only for recursive options with a user namespace.
   * Default: nothing.
   */
  mountsBelow?(path: string): readonly Pick<MountLine, "path" | "options">[];
}

/** A compiled filter; lib/seccomp makes it. */
export interface SeccompFilter {
  /** Flags of seccomp(2) with SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER excepted. */
  readonly flags: number;
  /** Array of struct sock_filter. */
  readonly filter: Uint8Array;
  /** Whether a listener is wanted: some action is SCMP_ACT_NOTIFY. */
  readonly notify: boolean;
}

/** What is alike for the first process of a container and for those of `exec`. */
export interface ProcessOptions {
  /** Absent if the configuration has no profile. */
  readonly seccomp?: SeccompFilter;
  /** A socket takes the terminal's master; must be given if `process.terminal` is true. */
  readonly console: boolean;
  /** Size of the terminal if the process has none: that of the caller's. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  /** This many descriptors, from 3 on, stay open for the program, those of `listen` among them. */
  readonly preserveFds: number;
  /** Descriptors of socket activation: LISTEN_FDS and LISTEN_FDNAMES of runts' environment. */
  readonly listen?: { readonly fds: number; readonly names?: string };
  readonly noNewKeyring: boolean;
}

/** What `create` and `run` plan from. */
export interface ContainerInput extends ProcessOptions {
  readonly id: string;
  /** A document that lib/spec has validated. */
  readonly spec: Spec;
  /** Absolute. */
  readonly bundle: string;
  readonly host: PlanHost;
  readonly cgroup: CgroupJoin;
  readonly noPivot: boolean;
  /** Directory on the host that holds `notify.sock`; seen as /run/notify in the container. */
  readonly notifyDirectory?: string;
  /** Absent for a container that is no system container. */
  readonly system?: SystemInput;
  /** Nobody does anything when the namespaces are there: init does not wait for that. */
  readonly unattended?: boolean;
}

/** What `exec` plans from. */
export interface ExecInput extends ProcessOptions {
  readonly id: string;
  /** The container's own configuration. */
  readonly spec: Spec;
  readonly process: Process;
  readonly host: PlanHost;
  readonly cgroup: CgroupJoin;
  /** CLONE_NEW* of the namespaces of init that differ from those of runts. */
  readonly namespaces: number;
  /**
   * /proc/PID/root of init, entered with chroot(2) when the container has no mount namespace of its
   * own; absent otherwise.
   */
  readonly root?: string;
  /** It gets a mount namespace, with a /proc and a /sys of the namespaces that it is in. */
  readonly remounts?: boolean;
}

/** A plan and what carrying it out takes. */
export interface Plan {
  readonly ops: readonly Op[];
  /** The descriptors to hand over, in slot order. */
  readonly slots: readonly PlanSlot[];
  /** What was asked for and cannot be had, where the specification wants a warning. */
  readonly warnings: readonly string[];
}

/** The plan of `create` and `run`. */
export interface ContainerPlan extends Plan {
  /** The root filesystem's absolute path on the host. */
  readonly rootfs: string;
}

/** What the lifecycle verbs take and give. */

import type { Changes } from "../spec/changes.ts";
import type { Spec } from "../spec/types/config.ts";

/**
 * Where a standard stream of a program leads: to that of the calling process, to /dev/null, or to an open
 * file descriptor of the calling process, which stays open and is the caller's to close. That of a
 * `Deno.FsFile` has no number; `openSync` of `node:fs` gives one.
 */
export type StreamTarget = "inherit" | "null" | number;

/** The standard streams of a program. */
export interface StreamTargets {
  /** Default `inherit`, as the others. */
  readonly stdin?: StreamTarget;
  /** The standard output. */
  readonly stdout?: StreamTarget;
  /** The standard error output. */
  readonly stderr?: StreamTarget;
}

/** Names one container. */
export interface ContainerName {
  /** Letters, digits, `_`, `+`, `-`, `.` and `,`; unique below the root. */
  readonly id: string;
}

/** What a wait takes. */
export interface WaitOptions {
  /**
   * Ends the wait: for the end of a process, (no longer than 60 s) for another command that is at work
   * on the same container, or for init. It then throws the signal's reason, and nothing was changed.
   */
  readonly signal?: AbortSignal;
}

/** What a verb takes that changes a container, and waits for others that do. */
export interface ChangeOptions extends ContainerName, WaitOptions {}

/** What `create` takes. */
export interface CreateOptions extends ContainerName, StreamTargets, WaitOptions {
  /** Directory with config.json; default: the working directory. */
  readonly bundle?: string;
  /** The configuration, if not config.json of the bundle. */
  readonly config?: string;
  /**
   * The configuration itself, instead of a file. What it leaves out is that of `runts spec`, but for the
   * terminal; its relative paths begin at the bundle, which need not have a config.json.
   */
  readonly spec?: Changes<Spec>;
  /** Unix socket that takes the master of the terminal (SCM_RIGHTS). */
  readonly consoleSocket?: string;
  /** Unix socket that takes a pidfd of init (SCM_RIGHTS). */
  readonly pidfdSocket?: string;
  /** File for the pid of init: decimal, no newline, written last. */
  readonly pidFile?: string;
  /** Uses MS_MOVE and chroot instead of pivot_root (a rootfs on a ramdisk). */
  readonly noPivot?: boolean;
  /** Leaves the session keyring of the caller in place. */
  readonly noNewKeyring?: boolean;
  /** This many descriptors from 3 on are passed to the program. */
  readonly preserveFds?: number;
}

/** What `run` takes. */
export interface RunOptions extends CreateOptions {
  /** Return once the program runs. */
  readonly detach?: boolean;
  /** Keep the stopped container instead of deleting it. */
  readonly keep?: boolean;
  /**
   * The calling process adopts orphans while it waits, and reaps all its children; so it must have
   * no others.
   */
  readonly adoptOrphans?: boolean;
}

/** What `kill` takes. */
export interface KillOptions extends ContainerName {
  /**
   * `TERM`, `SIGTERM`, 15, `RTMIN+3`; default what the annotation `org.opencontainers.image.stopSignal`
   * names, else SIGTERM.
   */
  readonly signal?: string | number;
  /** To every process of the container, not to init alone. */
  readonly all?: boolean;
}

/** What `delete` takes. */
export interface DeleteOptions extends ChangeOptions {
  /** Kill it first if it lives; an unknown id is no error. */
  readonly force?: boolean;
}

/** How a process ended. */
export interface ExitStatus {
  /** Whether the code is 0. */
  readonly success: boolean;
  /** As a shell has it: the exit code, or 128 and the number of the signal. */
  readonly code: number;
  /** The signal that ended it: `SIGKILL`, `SIGRTMIN+3`, … */
  readonly signal: string | null;
}

/** What `exec` takes. */
export interface ExecOptions extends ContainerName, StreamTargets, WaitOptions {
  /**
   * The process document (process.json); then what follows of it is ignored. Rights, limits, labels
   * and scheduling that it leaves out are the container's.
   */
  readonly process?: string;
  /** argv; required without `process`. */
  readonly args?: readonly string[];
  /** Working directory: absolute, in the container; default that of the configuration. */
  readonly cwd?: string;
  /** Variables in addition to those of the configuration, or instead of them. */
  readonly env?: Readonly<Record<string, string>>;
  /** `UID[:GID]`, numbers in the container. */
  readonly user?: string;
  /** Supplementary groups, in addition to those of the configuration. */
  readonly additionalGids?: readonly number[];
  /** Capabilities (`CAP_…`) in addition to those of the configuration. */
  readonly caps?: readonly string[];
  /** AppArmor profile; default that of the configuration. */
  readonly apparmor?: string;
  /** SELinux label; default that of the configuration. */
  readonly processLabel?: string;
  /** It cannot gain privileges by executing (PR_SET_NO_NEW_PRIVS). */
  readonly noNewPrivs?: boolean;
  /** Gives it a terminal. */
  readonly terminal?: boolean;
  /** Return once the program runs. */
  readonly detach?: boolean;
  /** File for the pid of the process: decimal, no newline. */
  readonly pidFile?: string;
  /** Unix socket that takes the master of the terminal (SCM_RIGHTS). */
  readonly consoleSocket?: string;
  /** Unix socket that takes a pidfd of the process (SCM_RIGHTS). */
  readonly pidfdSocket?: string;
  /** This many descriptors from 3 on are passed to the program. */
  readonly preserveFds?: number;
  /** Cgroups below the container's own: `/sub`; `memory,pids:/sub` for some of version 1. */
  readonly cgroup?: readonly string[];
  /** Allows it while the container is paused. */
  readonly ignorePaused?: boolean;
  /**
   * The calling process adopts orphans while it waits, and reaps all its children; so it must have
   * no others.
   */
  readonly adoptOrphans?: boolean;
}

/** What the lifecycle verbs take and give. */

/** Settings that hold for every verb: the global options of the command line. */
export interface GlobalOptions {
  /** Directory of the state directories: /run/runts, or $XDG_RUNTIME_DIR/runts when not root. */
  readonly root: string;
  readonly cgroupManager?: "cgroupfs" | "systemd" | "disabled";
  /** Whether failing to make a cgroup is tolerated; `auto`: when runts is not real root. */
  readonly rootless?: "auto" | boolean;
  /** Takes warnings, one line each, without prefix. */
  readonly warn?: (message: string) => void;
  /** Takes the steps of the work as they are done; absent when nobody asked. */
  readonly debug?: (line: string) => void;
}

/** Names one container. */
export interface ContainerName {
  readonly id: string;
}

/** Where the standard streams of the program come from: those of runts, /dev/null, or given ones. */
export type Stdio = "inherit" | "null" | readonly [stdin: number, stdout: number, stderr: number];

export interface CreateOptions extends ContainerName {
  /** Directory with config.json; default: the working directory. */
  readonly bundle?: string;
  /** The configuration, if not config.json of the bundle. */
  readonly config?: string;
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
  readonly stdio?: Stdio;
}

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

export interface KillOptions extends ContainerName {
  /**
   * Number of the signal; default what the annotation `org.opencontainers.image.stopSignal` names,
   * else SIGTERM.
   */
  readonly signal?: number;
  /** To every process of the container, not to init alone. */
  readonly all?: boolean;
}

export interface DeleteOptions extends ContainerName {
  /** Kill it first if it lives; an unknown id is no error. */
  readonly force?: boolean;
}

/** A row of `list`. */
export interface ListEntry {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 when stopped. */
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly owner: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Why the entry could not be read; then `status` is "unknown". */
  readonly error?: string;
}

/** How a process ended. */
export interface ExitStatus {
  /** As a shell has it: the exit code, or 128 + signal. */
  readonly code: number;
  /** The signal that ended it, or 0. */
  readonly signal: number;
}

export interface ExecOptions extends ContainerName {
  /**
   * The process document (process.json); then what follows of it is ignored. Rights, limits, labels
   * and scheduling that it leaves out are the container's.
   */
  readonly process?: string;
  /** argv; required without `process`. */
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** `NAME=value`, after those of the configuration. */
  readonly env?: readonly string[];
  /** `UID[:GID]`. */
  readonly user?: string;
  readonly additionalGids?: readonly number[];
  /** Capabilities (`CAP_…`) in addition to those of the configuration. */
  readonly caps?: readonly string[];
  readonly apparmor?: string;
  readonly processLabel?: string;
  readonly noNewPrivs?: boolean;
  readonly tty?: boolean;
  readonly detach?: boolean;
  readonly pidFile?: string;
  readonly consoleSocket?: string;
  readonly pidfdSocket?: string;
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
  readonly stdio?: Stdio;
}

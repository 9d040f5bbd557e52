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
}

export interface KillOptions extends ContainerName {
  /** Number of the signal. */
  readonly signal: number;
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

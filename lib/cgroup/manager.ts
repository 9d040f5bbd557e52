/** What every cgroup manager can do: v1 (and hybrid), v2, systemd, disabled. */

import type { Resources } from "../spec/types/config.ts";
import type { SubCgroups } from "./below.ts";

/** Which manager a container uses; recorded in its status file. */
type ManagerKind = "v1" | "v2" | "systemd" | "disabled";

/** How init gets into its cgroup. */
export interface CgroupJoin {
  /** v2: directory that init is cloned into (CLONE_INTO_CGROUP). May come along with `files`. */
  readonly bornIn?: string;
  /** Files init writes "0" to: `tasks` of v1 hierarchies, `cgroup.procs` of v2. */
  readonly files: readonly string[];
  /** init waits after its clone until {@linkcode CgroupManager.attach} has moved it. */
  readonly moved: boolean;
}

/** What a status file keeps of a manager; enough to make it again with `openCgroup`. */
export interface CgroupRecord {
  readonly kind: ManagerKind;
  /** crun's `cgroup-path`: below every hierarchy's mount point. */
  readonly path: string;
  /** systemd: name of the scope. */
  readonly scope?: string;
  /** systemd on v2: cgroup below the scope that the processes live in; limits are the scope's. */
  readonly subgroup?: string;
  /** All directories that belong to the container, absolute, by controller ("" for v2). */
  readonly paths: Readonly<Record<string, string>>;
  /**
   * Inode numbers of these directories, each in its hierarchy, which is one device: a directory of
   * the same name that was made later is somebody else's. Absent in records of other runtimes.
   */
  readonly inodes?: Readonly<Record<string, number>>;
}

/** What `create` wants of a container's cgroup. */
export interface CgroupRequest {
  /** `--cgroup-manager`; `--systemd-cgroup` is "systemd". Default: "cgroupfs". */
  readonly manager?: "cgroupfs" | "systemd" | "disabled";
  readonly id: string;
  /** systemd: what `systemctl status` calls it. Default: `runts container ID`. */
  readonly description?: string;
  /** linux.cgroupsPath. */
  readonly cgroupsPath?: string;
  /** Directories that it had before, by controller: it is to have them again. */
  readonly paths?: Readonly<Record<string, string>>;
  /** Do without a cgroup if it may not be made, and nothing in the configuration needs it. */
  readonly rootless: boolean;
  /** systemd: `org.systemd.property.*`. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How much a manager forgives. */
export interface Tolerance {
  /** Device rules that may not be set are left out: such a user cannot make devices anyway. */
  readonly rootless: boolean;
  /** Cgroups that may not be made are left out, if no limit needs them. */
  readonly optional: boolean;
}

/** An init that enters a cgroup as soon as it can, while the rest of that is still made. */
export interface Newborn {
  /** What it is born in is there. */
  ready(): void;
  /** The cgroup is not to be: nothing is left of the process. */
  end(): Promise<void>;
}

/** How a cgroup is made. */
export interface Preparation {
  /** What is there already is the container's, with its processes. */
  readonly adopt?: boolean;
  readonly newborn?: Newborn;
}

/** The host side of one container's cgroup. Every method throws {@linkcode RuntsError}. */
export interface CgroupManager {
  /** What to keep; to be read after {@linkcode prepare} and {@linkcode attach}, which settle it. */
  readonly record: CgroupRecord;
  /** Makes the cgroup with its limits and device rules; undoes what it made if it fails. */
  prepare(resources: Resources, preparation?: Preparation): Promise<CgroupJoin>;
  /** What {@linkcode prepare} is going to give, where that is certain. */
  foresee?(): CgroupJoin | undefined;
  /** Moves a process in from outside (systemd), to where {@linkcode joinFiles} would lead it. */
  attach(pid: number, sub?: SubCgroups, initPid?: number): Promise<void>;
  /**
   * How an additional process gets in. `sub`: cgroups below the container's own.
   * `initPid`: on v2 the process goes where init is when the container has divided its cgroup.
   */
  joinFiles(sub?: SubCgroups, initPid?: number): CgroupJoin;
  /** Moves init on into the cgroup that is for the container to manage, once all its namespaces exist. */
  delegate?(pid: number): void;
  /** Gives the cgroup to the container's root (spec, "Cgroup ownership"). */
  own(hostUid: number): void;
  /** Changes limits; a refused value leaves the others as they were. */
  update(resources: Resources): Promise<void>;
  frozen(): boolean;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** All process ids in the cgroup and those below it. */
  pids(): number[];
  /** Sends SIGKILL to all of them, thawing first where that is needed. */
  killAll(): Promise<void>;
  /** Removes a cgroup that nobody is in and that has none below it; false leaves what is left to {@linkcode remove}. */
  removeUnused?(): boolean;
  /** Removes the cgroup, leaves first, with bounded retries; names surviving processes in the error. */
  remove(): Promise<void>;
}

/**
 * What a system container has beside its configuration: a second input of the planner. The parts have
 * places of their own, as `beyond.ttys`, which stand in the operations for JSON paths.
 */

/** A program that init runs, beside hooks of the specification. */
export interface InnerHook {
  /** What asks for it. */
  readonly from: string;
  /** argv; the first is the program, an absolute path. */
  readonly args: readonly string[];
  /** `NAME=VALUE`, beside what the program has. */
  readonly env: readonly string[];
}

/** When init runs a hook: before there is a root, with all mounts, before there are nodes, at last. */
export type InnerStage = "pre-mount" | "mount" | "autodev" | "start";

/** What is particular to a mount of the configuration. */
export interface MountRule {
  /** Its mount point must be there. */
  readonly existing: boolean;
  /** It is left out where its source or mount point is not there. */
  readonly optional: boolean;
  /** Whose ids those of the source become: `container`, or the path of a user namespace. */
  readonly idmap?: string;
}

/** What is mounted on the root, before anything else. */
export interface RootMount {
  readonly from: string;
  /** A filesystem; absent: a directory, or what the specification names as the root. */
  readonly type?: string;
  /** Of a filesystem, or the directory that is bound. */
  readonly source?: string;
  /** Of the mount, and of the filesystem. */
  readonly options: readonly string[];
  /** As that of other mounts. */
  readonly idmap?: string;
}

/** A terminal beside the console. */
interface Terminal {
  /** What it is called by those who attach. */
  readonly name: string;
  /** Where it is mounted. */
  readonly path: string;
  /** A link that leads there. */
  readonly link?: string;
}

interface WritablePath {
  readonly from: string;
  readonly path: string;
}

/** A system container. */
export interface SystemInput {
  /** Absent: the root is the directory of the specification as it is. */
  readonly root?: RootMount;
  /** /dev gets the usual nodes and links. */
  readonly populateDev: boolean;
  /** Programs find it instead of that of the host. */
  readonly bootId?: string;
  /** Where the console is seen, beside /dev/console. */
  /** SELinux context of the session keyring, where it is not that of the program. */
  readonly keyringContext?: string;
  readonly consolePaths: readonly string[];
  readonly terminals: readonly Terminal[];
  /** Paths below read-only ones that stay writable. */
  readonly writable: readonly WritablePath[];
  /** The program is a child of init, which reaps orphans. */
  readonly reaper: boolean;
  /** Nobody else runs on a core beside it. */
  readonly ownCores?: true;
  /** Signal that init gets when its parent ends; 0: none. */
  readonly parentDeath: number;
  /** By `mounts[0]` and so on; others make the mount points that they need. */
  readonly mounts: Readonly<Record<string, MountRule>>;
  readonly hooks: Readonly<Partial<Record<InnerStage, readonly InnerHook[]>>>;
}

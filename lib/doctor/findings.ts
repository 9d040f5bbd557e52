/** What `doctor` says of a host, and what its checks look at. */

/** What a check is about. */
export type Area = "kernel" | "cgroups" | "users" | "security" | "tools";

/** In the order in which they are looked at. */
export const AREAS = [
  "kernel",
  "cgroups",
  "users",
  "security",
  "tools",
] as const satisfies readonly Area[];

/**
 * `works`; `note`: it works in another way, or nothing that could be done here would change it; `missing`: something
 * that a configuration or an option may ask for will not work here, and the remedy changes that.
 */
export type Condition = "works" | "note" | "missing";

/** One thing that was looked at. */
export interface Finding {
  /** What it is about. */
  readonly area: Area;
  /** What it is, in a few words; no two findings share area and name. */
  readonly name: string;
  /** Whether it works. */
  readonly condition: Condition;
  /** What is there. */
  readonly found: string;
  /** What will not work, or works otherwise. */
  readonly effect?: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** A host as the checks see it. */
export interface Host {
  /** Release of Linux, as "6.1.0-13-amd64". */
  readonly kernel: string;
  /** Real user id of the caller. */
  readonly uid: number;
  /** Whether the caller is root of the first user namespace. */
  readonly isRoot: boolean;
  /** Directory of /proc of the caller. */
  readonly proc: string;
  readonly cgroups: CgroupLayout;
  /** The variable of the caller's environment; undefined when unset or empty. */
  variable(name: string): string | undefined;
  /** The text of a file without blanks at its end; undefined when it cannot be read. */
  text(path: string): string | undefined;
  /** Whether there is something at a path. */
  has(path: string): boolean;
  /** Whether the kernel lets the caller write to a file that there is. */
  mayWrite(path: string): boolean;
  /** Where a program of the caller's PATH is. */
  program(name: string): string | undefined;
  /** Mode bits of a file; 0 where there is none. */
  mode(path: string): number;
  /** Version of libseccomp; undefined when it cannot be loaded. */
  readonly libseccomp: string | undefined;
  /** Why systemd cannot be reached; undefined when it can. */
  readonly systemd: string | undefined;
  /** Where the state of containers is kept. */
  readonly root: string;
  /** The criu executable, as the caller names it. */
  readonly criu: string;
  /** The directory of a warm brain's socket; undefined when the caller wants none. */
  readonly brain: string | undefined;
}

/** Which hierarchies there are, and where the caller is in them. */
export interface CgroupLayout {
  readonly mode: "v1" | "hybrid" | "v2" | "none";
  readonly hierarchies: readonly {
    /** `memory`; "" for cgroup v2. */
    readonly controller: string;
    readonly mountPoint: string;
    /** The caller's cgroup below the mount point: "" or `/a/b`. */
    readonly own: string;
  }[];
}

/** Looks at one thing; undefined where it is of no interest. */
export type Check = (host: Host) => Omit<Finding, "area" | "name"> | undefined;

/** The checks of an area by their names. */
export type Checks = Readonly<Record<string, Check>>;

/** Something that is as it should be. */
export function works(found: string): ReturnType<Check> {
  return { condition: "works", found };
}

/** Whether a release of Linux is at least this one. */
export function isSince(kernel: string, major: number, minor: number): boolean {
  const [own = 0, ownMinor = 0] = kernel.split(".").map((part) => parseInt(part));
  return own > major || own === major && ownMinor >= minor;
}

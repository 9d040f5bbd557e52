/**
 * Who may have commands carried out by a warm brain: a process that could do all of it itself, in the same
 * way. Anybody else is told to start Deno.
 */

import { readFile, readLink } from "../base/files.ts";

/** What is looked at of a process. */
interface Seen {
  /** Its directory of /proc. */
  readonly proc: string;
  /** /proc/PID/status by the names of its lines. */
  readonly status: ReadonlyMap<string, string>;
}

/** Something that must be alike in the brain and in whoever asks it. */
interface Rule {
  readonly name: string;
  /** Undefined where it cannot be told: then nobody is alike. */
  readonly of: (seen: Seen) => string | undefined;
}

const NAMESPACES = [
  ...["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts"],
  ...["time", "time_for_children"],
];
/** Namespaces that kernels before 5.6 do not have. */
const MAY_BE_MISSING = ["time", "time_for_children"];

/** Lines of /proc/PID/status: ids (real, effective, saved, of files), groups, and what a process may do. */
const LINES = [
  ...["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"],
  ...["NoNewPrivs", "Seccomp", "Seccomp_filters"],
];

/** All of what must be alike. Landlock cannot be seen (docs/security.md). */
export const RULES: readonly Rule[] = [
  ...LINES.map((name) => ({ name, of: ({ status }: Seen) => status.get(name) })),
  ...NAMESPACES.map((name) => ({
    name: `namespace ${name}`,
    of: ({ proc }: Seen) =>
      identity(`${proc}/ns/${name}`) ?? (MAY_BE_MISSING.includes(name) ? "none" : undefined),
  })),
  // The same directory may be seen through another mount, with other mounts below it.
  { name: "root directory", of: ({ proc }) => readLink(`${proc}/root`) },
  { name: "root", of: ({ proc }) => identity(`${proc}/root`) },
  { name: "security label", of: ({ proc }) => readFile(`${proc}/attr/current`) ?? "" },
];

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** What the rules find of one process. */
export type Facts = ReadonlyMap<string, string | undefined>;

/** The lines of /proc/PID/status; empty where the process is gone. */
export function readStatus(proc: string): Map<string, string> {
  const lines = (readFile(`${proc}/status`) ?? "").split("\n");
  return new Map(lines.map((line) => {
    const end = line.indexOf(":");
    return [line.slice(0, end), line.slice(end + 1).trim()] as const;
  }));
}

/** Looks at a process. */
export function factsOf(proc: string, status: Seen["status"] = readStatus(proc)): Facts {
  return new Map(RULES.map(({ name, of }) => [name, of({ proc, status })]));
}

/** The name of the first rule by which two differ; undefined when they are alike. */
export function difference(brain: Facts, caller: Facts): string | undefined {
  for (const { name } of RULES) {
    const own = brain.get(name);
    if (own === undefined || own !== caller.get(name)) return name;
  }
  return undefined;
}

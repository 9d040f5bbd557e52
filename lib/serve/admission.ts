/**
 * Who may have commands carried out by a warm brain: a process that could do all of it itself, in the same
 * way. Anybody else is told to start Deno.
 */

import type { ProcessFacts } from "../../ffi/peer.ts";

/** Something that must be alike in the brain and in whoever asks it. */
interface Rule {
  readonly name: string;
  /** Undefined where it cannot be told: then nobody is alike. */
  readonly of: (seen: ProcessFacts) => string | undefined;
}

/** In the order of `ProcessFacts.namespaces`. */
const NAMESPACES = [
  ...["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children"],
  ...["time", "time_for_children", "user", "uts"],
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
  ...LINES.map((name) => ({ name, of: ({ status }: ProcessFacts) => lineOf(status, name) })),
  ...NAMESPACES.map((name, index) => ({
    name: `namespace ${name}`,
    of: ({ namespaces }: ProcessFacts) =>
      namespaces[index] || (MAY_BE_MISSING.includes(name) ? "none" : undefined),
  })),
  // The same directory may be seen through another mount, with other mounts below it.
  { name: "root directory", of: ({ rootPath }) => rootPath || undefined },
  { name: "root", of: ({ root }) => root || undefined },
  { name: "security label", of: ({ label }) => label },
];

/** What the rules find of one process. */
export type Facts = ReadonlyMap<string, string | undefined>;

/** A line of a status but the first, by its name. */
export function lineOf(status: string, name: string): string | undefined {
  const start = status.indexOf(`\n${name}:`);
  if (start < 0) return undefined;
  const end = status.indexOf("\n", start + 1);
  return status.slice(start + name.length + 2, end < 0 ? undefined : end).trim();
}

/** What the rules find. */
export function factsOf(process: ProcessFacts): Facts {
  return new Map(RULES.map(({ name, of }) => [name, of(process)]));
}

/** The name of the first rule by which two differ; undefined when they are alike. */
export function difference(brain: Facts, caller: Facts): string | undefined {
  for (const { name } of RULES) {
    const own = brain.get(name);
    if (own === undefined || own !== caller.get(name)) return name;
  }
  return undefined;
}

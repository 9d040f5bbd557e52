/** Enabling controllers of cgroup v2 along a path. */

import { EBUSY } from "../../base/errno.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import { readFile, writeFile } from "../files.ts";

const HOLDS_PROCESSES = "the cgroup holds processes of its own";

/**
 * Enables controllers in every cgroup above `directory`, so that it has their files; all that
 * there are, or those in `only`. Returns those that could not be enabled with the reason: it is
 * an error only if a limit needs one of them.
 */
export function enableControllers(
  mountPoint: string,
  directory: string,
  only?: readonly string[],
): Map<string, unknown> {
  const refused = new Map<string, unknown>();
  const parts = directory.slice(mountPoint.length + 1).split("/").slice(0, -1);
  let current = mountPoint;
  enableIn(current, refused, only);
  for (const part of parts) {
    current += `/${part}`;
    enableIn(current, refused, only);
  }
  return refused;
}

function enableIn(
  directory: string,
  refused: Map<string, unknown>,
  only: readonly string[] | undefined,
): void {
  const words = (name: string) => (readFile(`${directory}/${name}`) ?? "").split(" ");
  const enabled = new Set(words("cgroup.subtree_control"));
  const missing = words("cgroup.controllers").filter((name) =>
    name !== "" && !enabled.has(name) && (only === undefined || only.includes(name))
  );
  if (missing.length === 0) return;
  const file = `${directory}/cgroup.subtree_control`;
  if (wouldBeThreaded(directory)) {
    for (const name of missing) refused.set(name, busy(file, name));
    return;
  }
  try {
    writeFile(file, missing.map((name) => `+${name}`).join(" "));
  } catch {
    // All or nothing: one by one, the others can still be had.
    for (const name of missing) enableOne(file, name, refused);
  }
}

/**
 * A cgroup below the root that holds processes of its own refuses most controllers, and for the others (cpu,
 * cpuset, perf_event, pids) becomes a threaded domain: then those below it take no processes at all
 * (cgroup-v2.rst, "Threads").
 */
function wouldBeThreaded(directory: string): boolean {
  return readFile(`${directory}/cgroup.type`) === "domain" &&
    (readFile(`${directory}/cgroup.procs`) ?? "") !== "";
}

function busy(file: string, name: string): RuntsError {
  return new RuntsError(`write ${quote(`+${name}`)} to ${quote(file)}`, {
    errno: EBUSY,
    hint: HOLDS_PROCESSES,
  });
}

function enableOne(file: string, name: string, refused: Map<string, unknown>): void {
  try {
    writeFile(file, `+${name}`, undefined, hint);
  } catch (error) {
    refused.set(name, error);
  }
}

function hint(errno: number | undefined): string | undefined {
  return errno === EBUSY ? HOLDS_PROCESSES : undefined;
}

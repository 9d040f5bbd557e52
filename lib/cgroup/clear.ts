/** Ending a cgroup: killing who is in it, and removing it with all below it. */

import { delay } from "../base/delay.ts";
import { EBUSY, ENOENT, ESRCH } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import { isDirectory } from "../base/files.ts";
import { isWithin } from "../base/paths.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime } from "../runtime/runtime.ts";
import { pidsBelow, readFile, withDescendants } from "./files.ts";
import { freezerOf } from "./freezer.ts";
import { detectHost } from "./hierarchies.ts";

/** Together about 2 s, in ms. */
const REMOVE_DELAYS = [1, 2, 4, 8, 16, 32, 64, 128, 250, 500, 1000];
/** Of these, for an init that ends by itself. */
const ABANDONED_DELAY_MAX = 64;
/** Rounds of signalling; each round that finds a new process is followed by another. */
const KILL_ROUNDS = 64;
/** A cgroup that still forks after this many rounds is frozen first. */
const CALM_ROUNDS = 3;
/** Processes that an error names, and characters of the command line of each. */
const NAMED = 10;
const COMMAND = 60;

/** What {@linkcode killMembers} needs of a manager. */
interface Members {
  /** A directory that all are below, in any hierarchy. */
  readonly directory: string;
  readonly pids: () => number[];
  readonly freeze: () => Promise<void>;
  readonly thaw: () => Promise<void>;
}

/**
 * Sends SIGKILL to every member until no member is left that has not had it. A process with
 * SIGKILL pending cannot fork, so this ends; should members fork faster than they are read,
 * they are frozen while they are signalled.
 */
export async function killMembers(given: Runtime, members: Members): Promise<void> {
  const runtime = await load(given);
  const signalled = new Set<number>();
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const fresh = members.pids().filter((pid) => !signalled.has(pid));
    if (fresh.length === 0) break;
    if (round === CALM_ROUNDS) await members.freeze().catch(() => {});
    for (const pid of members.pids()) {
      await runtime.turn();
      if (!signalled.has(pid)) kill(runtime, pid, members.directory);
      signalled.add(pid);
    }
  }
  // Frozen members die only once they are thawed.
  await members.thaw();
}

/** Whether a process is in a cgroup or below it. */
function isMember(runtime: Runtime, pid: number, directory: string): boolean {
  const mounts = detectHost(runtime).hierarchies.map(({ mountPoint }) => mountPoint);
  const [mount] = mounts.filter((point) => isWithin(directory, point))
    .sort((a, b) => b.length - a.length);
  // What /proc has begins at the namespace's root, which may be above what is mounted.
  const path = directory.slice(mount?.length ?? 0);
  return (readFile(`/proc/${pid}/cgroup`) ?? "").split("\n")
    .some((line) => `${line}/`.includes(`${path}/`));
}

/** The number may have passed to another process since it was read: the pidfd must be a member's. */
function kill(runtime: LoadedRuntime, pid: number, directory: string): void {
  const { helper } = runtime;
  let pidfd = -1;
  try {
    pidfd = helper.openPidfd(pid);
    if (isMember(runtime, pid, directory)) helper.sendSignal(pidfd, SIGKILL);
  } catch (error) {
    if (errnoOf(error) === ESRCH) return;
    throw new RuntsError(`kill process ${pid} (${quote(commandOf(pid))})`, { cause: error });
  } finally {
    if (pidfd >= 0) helper.close(pidfd);
  }
}

/**
 * Removes cgroups, each with those below it, leaves first. A cgroup stays busy for a moment
 * after its last process has ended, hence the retries.
 */
export async function removeDirectories(directories: Iterable<string>): Promise<void> {
  const unique = [...new Set(directories)];
  let left = unique.filter((directory) => !removedAlone(directory));
  for (const pause of REMOVE_DELAYS) {
    if (left.length === 0) return;
    left = left.filter((directory) => !removedTree(directory));
    if (left.length > 0) await delay(pause);
  }
  left = left.filter((directory) => !removedTree(directory));
  const [directory] = left;
  if (directory !== undefined) throw stillBusy(directory);
}

/**
 * Removes cgroups of a creation that was killed, leaving those that somebody is in: for a moment, that may be an init
 * which is about to end for want of who made it.
 */
export async function undoAbandoned(directories: readonly string[]): Promise<void> {
  let left = [...directories];
  for (const pause of [0, ...REMOVE_DELAYS].filter((delay) => delay <= ABANDONED_DELAY_MAX)) {
    if (pause > 0) await delay(pause);
    undoDirectories(left);
    left = left.filter((directory) => isDirectory(directory));
    if (left.length === 0) return;
  }
}

/** Removes what a failed `prepare` made: newest first, errors ignored. */
export function undoDirectories(made: readonly string[]): void {
  for (const directory of made.toReversed()) {
    try {
      Deno.removeSync(directory);
    } catch {
      // The error that led here is the one to report.
    }
  }
}

/**
 * Whether there is no such cgroup any more; false as long as somebody is in it, or one below it. Deno's remove of a
 * directory is rmdir(2), which is what the cgroup file system takes.
 */
export function removedAlone(directory: string): boolean {
  try {
    Deno.removeSync(directory);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === ENOENT) return true;
    if (errno === EBUSY) return false;
    throw new RuntsError(`remove cgroup ${quote(directory)}`, { cause: error });
  }
}

function removedTree(directory: string): boolean {
  return withDescendants(directory).toReversed().map(removedAlone).every(Boolean);
}

function stillBusy(directory: string): RuntsError {
  const pids = pidsBelow(directory);
  const freezer = pids.length === 0 ? undefined : freezerOf(directory);
  return new RuntsError(`remove cgroup ${quote(directory)}`, {
    errno: EBUSY,
    cause: pids.length === 0
      ? "no process of this pid namespace is in it"
      : `still in it: ${named(pids, commandOf)}`,
    ...(freezer && { hint: `cgroup ${quote(freezer)} is frozen: thaw it` }),
  });
}

/** Some of the processes with their names: `12 ("sleep"), 13 ("sh"), …`. */
export function named(pids: readonly number[], nameOf: (pid: number) => string = nameIn): string {
  const texts = pids.slice(0, NAMED).map((pid) => `${pid} (${quote(nameOf(pid))})`);
  return [...texts, ...(pids.length > NAMED ? ["…"] : [])].join(", ");
}

function nameIn(pid: number): string {
  return readFile(`/proc/${pid}/comm`) ?? "gone";
}

/** What a person recognises a process by: the start of its command line, or its name. */
function commandOf(pid: number): string {
  const line = (readFile(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim();
  const text = line || nameIn(pid);
  return text.length > COMMAND ? `${text.slice(0, COMMAND - 1)}…` : text;
}

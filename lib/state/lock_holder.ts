/** Who holds a lock that is not free: one who waits for us, and we must not for it. */

import type { Caller } from "../base/caller.ts";
import { statFile } from "../base/files.ts";
import { readStat, readStatIn } from "./liveness.ts";

/** A container's init, as its status names it. */
interface Init {
  readonly pid: number;
  readonly startTime: number;
}

/**
 * The process id of who holds the lock (flock(2)) of a file and waits for the caller: an ancestor; or, when
 * it is below an init that has not executed its program yet, which runs hooks then, whoever lets it
 * start. Undefined when there is none, or when /proc does not tell. Ids are those of the pid namespace
 * that /proc was mounted for, which a hook in the container's namespaces may not share.
 */
export function holderWaiting(caller: Caller, path: string, init?: Init): number | undefined {
  const file = statFile(path);
  if (file === undefined) return undefined;
  const lockers = lockersOf(file);
  let pid = readStatIn(caller.proc)?.parent ?? 0;
  for (; pid > 0; pid = readStat(pid)?.parent ?? 0) {
    if (holds(pid, file) ?? lockers.includes(pid)) return pid;
    if (pid === init?.pid && isStarting(init)) {
      return lockers.find((locker) => locker !== caller.pid);
    }
  }
  return undefined;
}

function isStarting({ pid, startTime }: Init): boolean {
  const stat = readStat(pid);
  return stat?.startTime === startTime && !stat.executed;
}

/** Undefined when the process may not be looked into, as from within a container. */
function holds(pid: number, file: Deno.FileInfo): boolean | undefined {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) => isLocked(pid, name, file));
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied ? undefined : false; // it has ended
  }
}

/** Whether the descriptor is of this file and has it locked (proc_pid_fdinfo(5), Linux 4.1). */
function isLocked(pid: number, fd: string, file: Deno.FileInfo): boolean {
  try {
    const link = `/proc/${pid}/fd/${fd}`;
    // Looking at any other file might take long: it may be on a server that does not answer.
    if (!Deno.readLinkSync(link).endsWith("/lock")) return false;
    const { dev, ino } = Deno.statSync(link);
    if (dev !== file.dev || ino !== file.ino) return false;
    return /^lock:.*\bFLOCK\b/m.test(Deno.readTextFileSync(`/proc/${pid}/fdinfo/${fd}`));
  } catch {
    return false; // it was closed meanwhile
  }
}

/**
 * Who has locked a file of this number, by /proc/locks, which everybody may read. Its device is left
 * out: the file shows that of the superblock, stat(2) that of a subvolume.
 */
function lockersOf({ ino }: Deno.FileInfo): number[] {
  try {
    return Deno.readTextFileSync("/proc/locks").split("\n")
      .map((line) => /^\d+: FLOCK +\w+ +\w+ (\d+) \S+:(\d+) /.exec(line))
      .flatMap((match) => match !== null && Number(match[2]) === ino ? [Number(match[1])] : []);
  } catch {
    return [];
  }
}

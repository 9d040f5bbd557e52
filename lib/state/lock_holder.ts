/** Who holds a lock that is not free: one of our ancestors waits for us, and we must not for it. */

import { readStat } from "./liveness.ts";

/**
 * The process id of an ancestor that holds the lock (flock(2)) of a file; undefined when none does,
 * or when /proc does not tell. Ids are those of the pid namespace that /proc was mounted for, which
 * a hook in the container's namespaces does not share.
 */
export function ancestorHolding(path: string): number | undefined {
  let file: Deno.FileInfo;
  try {
    file = Deno.statSync(path);
  } catch {
    return undefined;
  }
  let pid = readStat("self")?.parent ?? 0;
  while (pid > 0 && !holds(pid, file)) pid = readStat(pid)?.parent ?? 0;
  return pid > 0 ? pid : undefined;
}

/** /proc/locks would not do: it shows the device of the superblock, stat(2) that of a subvolume. */
function holds(pid: number, file: Deno.FileInfo): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) => isLocked(pid, name, file));
  } catch {
    return false; // it has ended, or is somebody else's
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

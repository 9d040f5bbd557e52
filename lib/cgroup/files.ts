/** Reading and writing cgroup files, with errors that name file and value. */

import { EACCES, EBUSY, EEXIST, EINVAL, ENOENT, EPERM, EROFS } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { readFile } from "../base/files.ts";

export { readFile };

/** Of the directory of a cgroup. */
const MODE = 0o755;

/** Writes to a file that exists. `configPath`: what asked for it. `hint`: by error number. */
export function writeFile(
  file: string,
  value: string,
  configPath?: string,
  hint?: (errno: number | undefined) => string | undefined,
): void {
  try {
    Deno.writeTextFileSync(file, value, { create: false });
  } catch (error) {
    const remedy = hint?.(errnoOf(error));
    throw new RuntsError(`write ${quote(value)} to ${quote(file)}`, {
      ...(configPath !== undefined && { configPath }),
      cause: error,
      ...(remedy !== undefined && { hint: remedy }),
    });
  }
}

/** Whether an error says that runts may not, rather than that something is wrong. */
export function isPermission(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === EACCES || errno === EPERM || errno === EROFS;
}

/**
 * Makes a cgroup and its missing parents; the directories made are added to `made`, parents
 * first. Returns false when it was there already.
 */
export function makeDirectory(directory: string, mountPoint: string, made: string[]): boolean {
  try {
    Deno.mkdirSync(directory, { mode: MODE });
    made.push(directory);
    // Whatever the caller's umask: the container's users look there.
    if ((Deno.umask() & MODE) !== 0) Deno.chmodSync(directory, MODE);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === EEXIST) return false;
    const parent = directory.slice(0, directory.lastIndexOf("/"));
    if (errno === ENOENT && parent.length > mountPoint.length) {
      makeDirectory(parent, mountPoint, made);
      return makeDirectory(directory, mountPoint, made);
    }
    throw new RuntsError(`make cgroup ${quote(directory)}`, {
      cause: error,
      ...mkdirHint(errno),
    });
  }
}

function mkdirHint(errno: number | undefined): { hint?: string } {
  if (errno === EROFS) return { hint: "the cgroup file system is mounted read-only" };
  if (errno === EACCES || errno === EPERM) {
    return {
      hint: "the cgroup above it is not delegated to this user: use --systemd-cgroup, or " +
        "systemd-run --user --scope -p Delegate=yes",
    };
  }
  if (errno === EINVAL || errno === EBUSY) {
    return { hint: "the cgroup above it cannot have children" };
  }
  return {};
}

/** The children of a cgroup, absolute. */
function children(directory: string): string[] {
  try {
    const entries = Array.from(Deno.readDirSync(directory));
    return entries.filter((entry) => entry.isDirectory).map(({ name }) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

/** A cgroup and all below it, parents first. */
export function withDescendants(directory: string): string[] {
  return [directory, ...children(directory).flatMap(withDescendants)];
}

/** Process ids in one cgroup, by the numbers of runts' pid namespace (0: outside of it). */
function pidsIn(directory: string): number[] {
  // A threaded cgroup of v2 refuses cgroup.procs (EOPNOTSUPP) and has its threads only.
  const text = readFile(`${directory}/cgroup.procs`) ?? readFile(`${directory}/cgroup.threads`);
  return (text ?? "").split("\n").map(Number).filter((pid) => pid > 0);
}

/** Process ids in a cgroup and in all below it. */
export function pidsBelow(directory: string): number[] {
  return withDescendants(directory).flatMap(pidsIn);
}

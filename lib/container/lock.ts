/** Every verb that changes a container holds its lock (flock(2), so the kernel releases it). */

import type { Helper } from "../../ffi/helper.ts";
import { ENOENT, ETIMEDOUT } from "../errno.ts";
import { errnoOf, RuntsError } from "../errors.ts";
import type { StateDirectory } from "../state/directory.ts";
import { doesNotExist } from "../state/inspect.ts";

/** How long a verb waits for another one that is at work on the same container, in ms. */
const LOCK_TIMEOUT = 60_000;

/** Runs the body while holding the lock of an existing container. */
export async function withLock<T>(
  helper: Helper,
  directory: StateDirectory,
  body: () => Promise<T>,
): Promise<T> {
  const lock = await takeLock(helper, directory);
  try {
    return await body();
  } finally {
    helper.close(lock);
  }
}

/** The same; does nothing when there is no such container, or not any more. */
export async function withLockIfThere(
  helper: Helper,
  directory: StateDirectory,
  body: () => Promise<void>,
): Promise<void> {
  try {
    await withLock(helper, directory, body);
  } catch (error) {
    if (directory.exists()) throw error;
  }
}

/** Takes the lock; a directory that was deleted (and perhaps made anew) meanwhile is not locked. */
export async function takeLock(helper: Helper, directory: StateDirectory): Promise<number> {
  const path = directory.file("lock");
  for (;;) {
    let lock: number;
    try {
      lock = await helper.lockAsync(path, LOCK_TIMEOUT);
    } catch (error) {
      if (errnoOf(error) === ENOENT) throw doesNotExist();
      if (errnoOf(error) !== ETIMEDOUT) throw error;
      throw new RuntsError(
        `another command has been at work on the container for ${LOCK_TIMEOUT / 1000} s`,
      );
    }
    if (isSameFile(lock, path)) return lock;
    helper.close(lock);
    if (!directory.exists()) throw doesNotExist();
  }
}

function isSameFile(fd: number, path: string): boolean {
  try {
    return Deno.statSync(`/proc/self/fd/${fd}`).ino === Deno.lstatSync(path).ino;
  } catch {
    return false;
  }
}

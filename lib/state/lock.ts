/** Every verb that changes a container holds its lock (flock(2), so the kernel releases it). */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { ENOENT, ETIMEDOUT } from "../base/errno.ts";
import { errnoOf, RuntsError } from "../base/errors.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "./directory.ts";
import { doesNotExist } from "./inspect.ts";
import type { Status } from "./status.ts";

/** How long a verb waits for another one that is at work on the same container, in ms. */
const LOCK_TIMEOUT = 60_000;
/**
 * After how much of it we ask whether the other one waits for us. A hook that leaves us behind ends
 * soon, and a program that uses the library may hold the lock without waiting.
 */
const ASK_AFTER = 250;

/** Runs the body while holding the lock of an existing container; `signal` ends the wait for it. */
export async function withLock<T>(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  body: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const lock = await runtime.timed(
    "take the lock",
    () => takeLock(runtime, directory, signal),
  );
  try {
    return await body();
  } finally {
    runtime.helper.close(lock);
  }
}

/** The same; does nothing when there is no such container, or not any more. */
export async function withLockIfThere(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  body: () => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await withLock(runtime, directory, body, signal);
  } catch (error) {
    if (directory.exists()) throw error;
  }
}

/** Takes the lock; a directory that was deleted (and perhaps made anew) meanwhile is not locked. */
export async function takeLock(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  signal?: AbortSignal,
): Promise<number> {
  const path = directory.file("lock");
  for (;;) {
    const lock = await waitForLock(runtime, directory, path, signal);
    if (isSameFile(lock, path)) {
      runtime.body.lockTaken(lock, path);
      return lock;
    }
    runtime.helper.close(lock);
    if (!directory.exists()) throw doesNotExist();
  }
}

/** Takes the lock once it is free, unless that cannot be before we end. */
async function waitForLock(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  path: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const lock = await lockWithin(runtime, path, ASK_AFTER, signal);
  if (lock !== undefined) return lock;
  const { holderWaiting } = await import("./lock_holder.ts");
  const holder = holderWaiting(runtime.caller, path, statusIfAny(directory));
  if (holder !== undefined) {
    throw new RuntsError(
      `runts (pid ${holder}) holds the container's lock and waits for the hook that runs this ` +
        "command",
    );
  }
  const later = await lockWithin(runtime, path, LOCK_TIMEOUT - ASK_AFTER, signal);
  if (later !== undefined) return later;
  throw new RuntsError(
    `another command has been at work on the container for ${LOCK_TIMEOUT / 1000} s`,
  );
}

function statusIfAny(directory: StateDirectory): Status | undefined {
  try {
    return directory.readStatus();
  } catch {
    return undefined; // it is damaged
  }
}

/** Undefined when somebody else has it for all of the time, in ms. */
async function lockWithin(
  runtime: LoadedRuntime,
  path: string,
  time: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  try {
    return await runtime.helper.lock(path, time, signal);
  } catch (error) {
    if (errnoOf(error) === ETIMEDOUT) return undefined;
    throw errnoOf(error) === ENOENT ? doesNotExist() : error;
  }
}

function isSameFile(fd: number, path: string): boolean {
  try {
    const [held, there] = [Deno.statSync(ownDescriptor(fd)), Deno.lstatSync(path)];
    return held.dev === there.dev && held.ino === there.ino;
  } catch {
    return false;
  }
}

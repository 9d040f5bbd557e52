/** The socket of a warm brain: its own, or one that a service manager has handed over. */

import type { Helper } from "../../ffi/helper.ts";
import { monitorCalls } from "../../ffi/monitor.ts";
import type { Caller } from "../base/caller.ts";
import { ETIMEDOUT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { removeQuietly, statFile } from "../base/files.ts";

/** A socket that listens, and the lock that keeps a second brain away. */
interface Listening extends Disposable {
  readonly fd: number;
}

/** The first descriptor that is handed over (sd_listen_fds(3)). */
const HANDED = 3;

/** Makes the socket in the brain's directory, unless it was handed over. */
export async function listen(
  helper: Helper,
  caller: Caller,
  directory: string,
): Promise<Listening> {
  makePrivate(caller, directory);
  const lock = await lockOf(helper, directory);
  const path = `${directory}/socket`;
  const isHanded = caller.variable("LISTEN_FDS") === "1" &&
    caller.variable("LISTEN_PID") === String(caller.pid);
  try {
    if (!isHanded) removeQuietly(path); // of a brain that was killed
    const fd = isHanded ? HANDED : monitorCalls().listen(path, 0o600);
    return {
      fd,
      [Symbol.dispose]() {
        if (!isHanded) removeQuietly(path);
        helper.close(fd);
        helper.close(lock);
      },
    };
  } catch (error) {
    helper.close(lock);
    throw error;
  }
}

async function lockOf(helper: Helper, directory: string): Promise<number> {
  try {
    return await helper.lock(`${directory}/lock`, 0);
  } catch (error) {
    if (errnoOf(error) !== ETIMEDOUT) throw error;
    throw new RuntsError(`a warm brain serves ${quote(directory)} already`);
  }
}

/** Makes the directory, or finds that it is nobody else's. */
function makePrivate({ uid }: Caller, directory: string): void {
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new RuntsError(`make directory ${quote(directory)}`, { cause });
  }
  const found = statFile(directory);
  if (found?.uid === uid && ((found?.mode ?? 0) & 0o077) === 0) return;
  throw new RuntsError(`directory ${quote(directory)} is not this user's alone`, {
    hint: "it must belong to the user, and have mode 0700",
  });
}

/** `create`: everything up to the wait at exec.fifo. */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { errnoOf, quote, reason, RuntsError } from "../base/errors.ts";
import { runHooksWarning } from "../hooks/runtime_hooks.ts";
import { alreadyExists, StateDirectory } from "../state/directory.ts";
import { type Attached, Creation } from "./creation.ts";
import { type OpenBundle, openBundle } from "../caller/bundle.ts";
import { checkConsole } from "../caller/console_socket.ts";
import { inCommand } from "../base/command.ts";
import { takeLock } from "../state/lock.ts";
import { sendPidfd, writePidFile } from "../caller/pid_file.ts";
import { rootHint } from "../state/root.ts";
import type { CreateOptions, GlobalOptions } from "../caller/options.ts";
import { Undo } from "../base/undo.ts";

/** A container that was just made. */
export interface Created {
  readonly directory: StateDirectory;
  readonly pid: number;
  /** pidfd of init; the owner of this object closes it. */
  readonly pidfd: number;
}

/** Makes a container from a bundle. When it fails, the host is as it was. */
export function create(global: GlobalOptions, options: CreateOptions): Promise<void> {
  return inCommand("create", options.id, async () => {
    const bundle = await openBundle(options);
    checkConsole(bundle.spec, options.consoleSocket);
    const helper = await loadHelper();
    await createLocked(helper, global, options, bundle, {}, (created) => {
      helper.close(created.pidfd);
      return Promise.resolve();
    });
  });
}

/**
 * Makes a container and goes on with `then` while the lock is held. When that fails, too, nothing
 * is left of the container.
 */
export async function createLocked<T>(
  helper: Helper,
  global: GlobalOptions,
  options: CreateOptions,
  bundle: OpenBundle,
  attached: Attached,
  then: (created: Created) => Promise<T>,
): Promise<T> {
  const directory = new StateDirectory(global.root, options.id);
  const undo = new Undo();
  const creation = new Creation(helper, global, options, bundle, directory, undo);
  directory.make(rootHint(global.root));
  const lock = await lockNew(helper, directory);
  undo.add(() => directory.remove());
  try {
    const init = await creation.run(attached);
    // The file last: it outlasts a failure.
    if (options.pidfdSocket !== undefined) {
      await sendPidfd(helper, options.pidfdSocket, init.pidfd, "standard");
    }
    if (options.pidFile !== undefined) writePidFile(helper, options.pidFile, init.pid);
    return await then({ directory, ...init });
  } catch (error) {
    const warn = global.warn ?? (() => {});
    await undo.run((also) => warn(`clean up ${quote(options.id)}: ${reason(also)}`));
    // A failed hook ends the container as delete does (spec, "Lifecycle", steps 3 to 5).
    if (creation.hooksRan) {
      await runHooksWarning(helper, "poststop", bundle.spec, creation.state(), warn);
    }
    throw error;
  } finally {
    helper.close(lock);
  }
}

/**
 * Locks the directory that was just made, or another one in its place: somebody may have deleted it,
 * and made a container of the same id, before it was locked.
 */
async function lockNew(helper: Helper, directory: StateDirectory): Promise<number> {
  let lock: number;
  try {
    lock = await takeLock(helper, directory);
  } catch (error) {
    if (!directory.exists()) {
      throw new RuntsError("another command has deleted the container before it was made");
    }
    if (errnoOf(error) !== undefined && directory.isUnused()) directory.remove();
    throw error;
  }
  if (directory.isUnused()) return lock;
  helper.close(lock);
  throw alreadyExists();
}

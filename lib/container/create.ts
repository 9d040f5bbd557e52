/** `create`: everything up to the wait at exec.fifo. */

import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { errnoOf, quote, reason, RuntsError } from "../base/errors.ts";
import { runHooksWarning } from "../hooks/runtime_hooks.ts";
import { alreadyExists, StateDirectory } from "../state/directory.ts";
import { Creation, type Recorded } from "./creation.ts";
import type { Attendant } from "./creation_parts.ts";
import { type OpenBundle, openBundle } from "../caller/bundle.ts";
import { checkConsole } from "../caller/console_socket.ts";
import { earlyNamespaces, preservedFds } from "./creation_plan.ts";
import { listenFds } from "../host/facts.ts";
import { startEarly } from "../init/spawn.ts";
import { inCommand } from "../runtime/command.ts";
import { takeLock } from "../state/lock.ts";
import { sendPidfd, writePidFile } from "../caller/pid_file.ts";
import { rootHint } from "../runtime/root.ts";
import type { CreateOptions } from "../caller/options.ts";
import { PIDFD_RECEIVER } from "../spec/values/pidfd_receiver.ts";
import type { Spec } from "../spec/types/config.ts";
import { Undo } from "../base/undo.ts";

/** A container that was just made, as its init; whoever gets it closes the pidfd. */
export interface Created extends Recorded {
  readonly directory: StateDirectory;
  readonly spec: Spec;
}

/** Makes a container from a bundle. When it fails, the host is as it was. */
export function create(given: RuntimeOrSettings, options: CreateOptions): Promise<void> {
  return inCommand(given, "create", options.id, async (unloaded) => {
    const bundle = await openAndBegin(unloaded, options);
    checkConsole(bundle.spec, options.consoleSocket);
    const runtime = await load(unloaded);
    await createLocked(runtime, options, bundle, undefined, (created) => {
      runtime.helper.close(created.pidfd);
      return Promise.resolve();
    });
  }, options.signal);
}

/** Opens the bundle, and has init started as soon as the configuration is read, where that can be. */
export function openAndBegin(runtime: Runtime, options: CreateOptions): Promise<OpenBundle> {
  return openBundle(runtime, options, (spec) => {
    const preserve = preservedFds(options, listenFds(runtime.caller));
    startEarly(runtime, options, preserve, earlyNamespaces(spec));
  });
}

/**
 * Makes a container and goes on with `then` while the lock is held. When that fails, too, nothing
 * is left of the container.
 */
export async function createLocked<T>(
  runtime: LoadedRuntime,
  options: CreateOptions,
  bundle: OpenBundle,
  attendant: Attendant | undefined,
  then: (created: Created) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const directory = new StateDirectory(runtime, options.id);
  const undo = new Undo();
  const creation = new Creation(runtime, options, bundle, directory, undo);
  directory.make(rootHint(runtime.caller, runtime.root));
  const lock = await lockNew(runtime, directory);
  undo.add(() => directory.remove());
  try {
    const init = await creation.run(attendant);
    // The file last: it outlasts a failure.
    for (const socket of [options.pidfdSocket, bundle.spec.annotations?.[PIDFD_RECEIVER]]) {
      if (socket) await sendPidfd(runtime, socket, init.pidfd, "standard");
    }
    if (options.pidFile !== undefined) writePidFile(runtime, options.pidFile, init.pid);
    return await then({ directory, spec: bundle.spec, ...init });
  } catch (error) {
    const { warn } = runtime;
    await undo.run((also) => warn(`clean up ${quote(options.id)}: ${reason(also)}`));
    // A failed hook ends the container as delete does (spec, "Lifecycle", steps 3 to 5).
    if (creation.hooksRan) {
      await runHooksWarning(runtime, "poststop", bundle.spec, creation.state());
    }
    throw error;
  } finally {
    runtime.helper.close(lock);
  }
}

/**
 * Locks the directory that was just made, or another one in its place: somebody may have deleted it,
 * and made a container of the same id, before it was locked.
 */
async function lockNew(runtime: LoadedRuntime, directory: StateDirectory): Promise<number> {
  let lock: number;
  try {
    lock = await takeLock(runtime, directory);
  } catch (error) {
    if (!directory.exists()) {
      throw new RuntsError("another command has deleted the container before it was made");
    }
    if (errnoOf(error) !== undefined && directory.isUnused()) directory.remove();
    throw error;
  }
  if (directory.isUnused()) return lock;
  runtime.helper.close(lock);
  throw alreadyExists();
}

/** `restore`: a container out of an image that `checkpoint` has made. */

import { quote, reason } from "../base/errors.ts";
import { type OpenBundle, openBundle } from "../caller/bundle.ts";
import { checkConsole } from "../caller/console_socket.ts";
import { Attachment } from "../caller/foreground.ts";
import type { RestoreOptions } from "../criu/options.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { checkRights } from "./checkpoint.ts";
import { type Created, createLocked } from "./create.ts";
import type { Attendant } from "./creation_parts.ts";
import { removeThis } from "./delete.ts";
import { Restorer } from "./restorer.ts";

/**
 * Makes a container whose processes go on where the checkpoint was. Gives the exit code: that of the program, or 0
 * when detached. When it fails, the host is as it was.
 */
export function restore(given: RuntimeOrSettings, options: RestoreOptions): Promise<number> {
  return inCommand(given, "restore", options.id, async (unloaded) => {
    checkRights(unloaded);
    const bundle = await openBundle(unloaded, options);
    const terminal = bundle.spec.process?.terminal === true && !options.detach &&
      options.consoleSocket === undefined;
    if (!terminal) checkConsole(bundle.spec, options.consoleSocket);
    const runtime = await load(unloaded);
    if (options.detach) {
      await restoreLocked(runtime, options, bundle, undefined, (created) => {
        runtime.helper.close(created.pidfd);
        return Promise.resolve();
      });
      return 0;
    }
    const adoptOrphans = options.adoptOrphans === true;
    const foreground = await Attachment.open(runtime, { terminal, adoptOrphans });
    try {
      return await restoreAttached(runtime, options, bundle, foreground);
    } finally {
      await foreground.end();
    }
  }, options.signal);
}

/** Goes on with `then` while the lock is held. */
function restoreLocked<T>(
  runtime: LoadedRuntime,
  options: RestoreOptions,
  bundle: OpenBundle,
  attendant: Attendant | undefined,
  then: (created: Created) => Promise<T>,
): Promise<T> {
  return createLocked(runtime, options, bundle, new Restorer(options, attendant), then);
}

async function restoreAttached(
  runtime: LoadedRuntime,
  options: RestoreOptions,
  bundle: OpenBundle,
  foreground: Attachment,
): Promise<number> {
  const restored = await restoreLocked(runtime, options, bundle, foreground, async (created) => {
    await foreground.join();
    foreground.forwardTo(created.pidfd);
    return created;
  });
  try {
    const ending = await foreground.wait(restored, options.signal);
    await cleanUp(runtime, restored);
    options.signal?.throwIfAborted();
    return ending.code;
  } finally {
    runtime.helper.close(restored.pidfd);
  }
}

/** The exit code is the program's, also where something of the container has to stay behind. */
async function cleanUp(runtime: LoadedRuntime, { directory, pid }: Created): Promise<void> {
  try {
    await removeThis(runtime, directory, pid);
  } catch (error) {
    runtime.warn(`clean up ${quote(directory.id)}: ${reason(error)}`);
  }
}

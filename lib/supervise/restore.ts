/** `restore` of a container that a monitor looks after. */

import { checkRights } from "../container/checkpoint.ts";
import type { Created } from "../container/create.ts";
import type { RestoreOptions } from "../criu/options.ts";
import { Restorer } from "../container/restorer.ts";
import { tellStarted } from "../monitor/tell.ts";
import { inCommand } from "../runtime/command.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { make, type SupervisedOptions } from "./create.ts";

/** What {@linkcode restoreSupervised} takes. */
export type SupervisedRestore = SupervisedOptions & Omit<RestoreOptions, "detach" | "adoptOrphans">;

/** Makes a container out of an image; its init is a child of a monitor. Returns once the program runs again. */
export function restoreSupervised(
  given: RuntimeOrSettings,
  options: SupervisedRestore,
): Promise<void> {
  const close = (runtime: LoadedRuntime, created: Created) => {
    runtime.helper.close(created.pidfd);
    return Promise.resolve();
  };
  const body = (unloaded: Runtime) => makeRestored(unloaded, options, close);
  return inCommand(given, "restore", options.id, body, options.signal);
}

/** The same, and goes on with `then` while its lock is held. */
export function makeRestored<T>(
  unloaded: Runtime,
  options: SupervisedRestore,
  then: (runtime: LoadedRuntime, created: Created) => Promise<T>,
): Promise<T> {
  checkRights(unloaded);
  return make(unloaded, options, async (runtime, created) => {
    await tellStarted(runtime, created.directory, created.pid);
    return await then(runtime, created);
  }, (monitor) => new Restorer(options, monitor));
}

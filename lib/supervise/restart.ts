/** `restart`: stop, and start anew. */

import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { withLock } from "../state/lock.ts";
import { readSupervised, writeSupervised } from "../state/supervised.ts";
import { type Afterwards, startAnew } from "./anew.ts";
import { noteEnd } from "./settle.ts";
import { stopIt, type StopOptions } from "./stop.ts";
import { supervisedOf } from "./wait.ts";

/** Stops a supervised container, if it runs, and starts it anew with the configuration that it has. */
export function restart(given: RuntimeOrSettings, options: StopOptions): Promise<void> {
  return inCommand(given, "restart", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    supervisedOf(directory);
    const runtime = await load(unloaded);
    let afterwards: Afterwards | undefined;
    while (afterwards === undefined) {
      await stopIt(runtime, directory, options);
      const body = () => startStopped(runtime, directory);
      afterwards = await withLock(runtime, directory, body, options.signal);
    }
    await afterwards();
  }, options.signal);
}

/** Undefined when somebody else has started it in the meantime. */
async function startStopped(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<Afterwards | undefined> {
  // "creating" is what the lock, which is ours, makes of a restart that was killed.
  if (!["stopped", "creating"].includes(inspect(directory).state)) return undefined;
  await noteEnd(runtime, directory);
  const supervised = readSupervised(directory.path)!;
  writeSupervised(directory.path, { ...supervised, lastDelay: 0 });
  return await startAnew(runtime, directory);
}

/** `restart`: stop, and start anew. */

import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { withLock } from "../state/lock.ts";
import { readSupervised, writeSupervised } from "../state/supervised.ts";
import { startAnew } from "./anew.ts";
import { noteEnd } from "./settle.ts";
import { stopIt, type StopOptions } from "./stop.ts";
import { supervisedOf } from "./wait.ts";

/** Stops a supervised container, if it runs, and starts it anew with the configuration that it has. */
export function restart(given: RuntimeOrSettings, options: StopOptions): Promise<void> {
  return inCommand(given, "restart", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    supervisedOf(directory);
    const runtime = await load(unloaded);
    await stopIt(runtime, directory, options);
    const afterwards = await withLock(runtime, directory, async () => {
      await noteEnd(runtime, directory);
      const supervised = readSupervised(directory.path)!;
      writeSupervised(directory.path, { ...supervised, lastDelay: 0 });
      return await startAnew(runtime, directory);
    }, options.signal);
    await afterwards();
  }, options.signal);
}

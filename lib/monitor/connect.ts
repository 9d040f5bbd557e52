/** Talking to the monitor of a container. */

import { ECONNREFUSED, ENOENT, EPIPE } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import { Monitor } from "../body/monitor_client.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import { monitorSocket } from "./places.ts";

/** There is no monitor, or it has just ended. */
const GONE: readonly (number | undefined)[] = [ECONNREFUSED, ENOENT, EPIPE];

/** Connects to it; undefined when there is none. */
export async function connectMonitor(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<Monitor | undefined> {
  try {
    return await Monitor.connect(runtime.helper, monitorSocket(directory));
  } catch (error) {
    if (GONE.includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Asks it something, if it is there; gives whether it was. */
export async function withMonitor(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  ask: (monitor: Monitor) => Promise<unknown>,
): Promise<boolean> {
  using monitor = await connectMonitor(runtime, directory);
  if (monitor === undefined) return false;
  try {
    await ask(monitor);
    return true;
  } catch (error) {
    if (GONE.includes(errnoOf(error))) return false;
    throw error;
  }
}

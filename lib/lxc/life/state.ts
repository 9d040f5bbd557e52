/** What a system container does just now, in LXC's words. */

import { isMonitored } from "../../monitor/standing.ts";
import { bootId } from "../../runtime/host.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspectIfRecorded, type Inspection } from "../../state/inspect.ts";
import { readSupervised } from "../../state/supervised.ts";

/** The states of LXC that there are here. */
export type SystemState = "STOPPED" | "STARTING" | "RUNNING" | "STOPPING" | "FROZEN";

/** A container as it is now. */
interface SystemNow {
  readonly state: SystemState;
  /** Of init; absent where there is none. */
  readonly pid?: number;
  /** It has stopped, and nobody is there to clear away what is left of it. */
  readonly isLeft?: true;
}

/** Without one, nobody sees to what follows of the end. */
function hasMonitor(runtime: Runtime, directory: StateDirectory): boolean {
  const supervised = readSupervised(directory.path);
  return supervised !== undefined && isMonitored(supervised, runtime.host.get(bootId));
}

const STATES: Readonly<Record<Inspection["state"], SystemState>> = {
  creating: "STARTING",
  created: "STARTING",
  running: "RUNNING",
  paused: "FROZEN",
  stopped: "STOPPING",
};

/** Looks at a container by its id. Once all has been cleared away it is STOPPED. */
export function systemNow(runtime: Runtime, id: string): SystemNow {
  const directory = new StateDirectory(runtime, id);
  const found = inspectIfRecorded(directory);
  if (found === undefined) return { state: directory.exists() ? "STARTING" : "STOPPED" };
  if (found.state === "stopped" && !hasMonitor(runtime, directory)) {
    return { state: "STOPPED", isLeft: true };
  }
  const state = STATES[found.state];
  const isThere = state === "RUNNING" || state === "FROZEN";
  return isThere ? { state, pid: found.status.pid } : { state };
}

/** What a system container does just now, in LXC's words. */

import type { Runtime } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspectIfRecorded, type Inspection } from "../../state/inspect.ts";

/** The states of LXC that there are here. */
type SystemState = "STOPPED" | "STARTING" | "RUNNING" | "STOPPING" | "FROZEN";

/** A container as it is now. */
interface SystemNow {
  readonly state: SystemState;
  /** Of init; absent where there is none. */
  readonly pid?: number;
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
  const state = STATES[found.state];
  const isThere = state === "RUNNING" || state === "FROZEN";
  return isThere ? { state, pid: found.status.pid } : { state };
}

/** `lxc checkpoint`: an image of a container; what it is made out of again is in make_restored.ts. */

import { RuntsError } from "../../base/errors.ts";
import {
  type CheckpointOptions,
  checkRights,
  dumpLocked,
  refuseUnlessAlive,
} from "../../container/checkpoint.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { RuntimeOrSettings } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspect } from "../../state/inspect.ts";
import { withLock } from "../../state/lock.ts";
import type { SystemPlan } from "../plan/types.ts";
import { readSystem } from "./record.ts";
import { settleLocked } from "./settle.ts";
import { systemNow } from "./state.ts";

/** What an image is made with. */
interface SystemCheckpoint
  extends Pick<CheckpointOptions, "id" | "criu" | "imagePath" | "preDump" | "parentPath"> {
  /** The container has stopped afterwards. */
  readonly stop?: boolean;
}

/** Makes an image of a container, which goes on unless it is to stop. */
export function checkpointSystem(
  given: RuntimeOrSettings,
  { stop, ...options }: SystemCheckpoint,
): Promise<void> {
  return inCommand(given, "checkpoint", options.id, async (unloaded) => {
    if (systemNow(unloaded, options.id).pid === undefined) {
      throw new RuntsError("the container does not run");
    }
    checkRights(unloaded);
    const runtime = await load(unloaded);
    const directory = new StateDirectory(unloaded, options.id);
    await withLock(runtime, directory, async () => {
      const found = inspect(directory);
      refuseUnlessAlive(found);
      const { plan } = readSystem(directory);
      refuseTerminals(plan);
      const leaveRunning = !stop || options.preDump === true;
      const all = { ...options, ...imageOptionsOf(plan), leaveRunning };
      await dumpLocked(runtime, directory, found, all);
      if (!leaveRunning) await settleLocked(runtime, directory, "stop");
    });
  });
}

/** What follows for criu from the configuration: devices and addresses are made again by that. */
export function imageOptionsOf({ beyond: { network } }: SystemPlan): Pick<
  CheckpointOptions,
  "emptyNs"
> {
  return network.length > 0 ? { emptyNs: ["network"] } : {};
}

/** criu finds nobody at the other ends of those that no program has open. LXC refuses them, too. */
function refuseTerminals({ beyond: { ttys } }: SystemPlan): void {
  if (ttys.count === 0) return;
  throw new RuntsError("criu takes no terminals beside the console", {
    hint: "set lxc.tty.max = 0 and start it anew",
  });
}

/**
 * What follows of the end of init: hooks, and either all is cleared away or the container is started
 * anew. Whoever comes first does it, as in lib/supervise/settle.ts: the command that the monitor runs, or
 * one that waits for the end.
 */

import type { ContainerName } from "../../caller/options.ts";
import { removeLocked } from "../../container/delete.ts";
import { untilNoted } from "../../monitor/end.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import { withLockIfThere } from "../../state/lock.ts";
import { noteEnd } from "../../supervise/settle.ts";
import { tellState } from "./events.ts";
import { runStageWarning } from "./hooks.ts";
import { readSystem } from "./record.ts";
import { systemNow } from "./state.ts";

/** Does what is due, for a container by its id; one that runs, or is gone, needs nothing. */
export function settleSystem(given: RuntimeOrSettings, { id }: ContainerName): Promise<void> {
  return inCommand(given, "settle", id, async (unloaded) => {
    const runtime = await load(unloaded);
    const directory = new StateDirectory(unloaded, id);
    await withLockIfThere(runtime, directory, () => settleLocked(runtime, directory));
  });
}

/** The same, for a verb that holds the lock. `target`: what is to follow, whatever init asked for. */
export async function settleLocked(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  target: "stop" | "reboot" = "stop",
): Promise<void> {
  if (systemNow(runtime, directory.id).state !== "STOPPING") return;
  const { plan } = readSystem(directory);
  await untilNoted(runtime, directory);
  await noteEnd(runtime, directory);
  await tellState(runtime, directory.id, "STOPPING");
  await runStageWarning(runtime, plan, "stop", { target });
  await runStageWarning(runtime, plan, "post-stop", { target });
  await removeLocked(runtime, directory, { force: true });
  await tellState(runtime, directory.id, "STOPPED");
}

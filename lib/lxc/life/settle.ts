/**
 * What follows of the end of init: hooks, and either all is cleared away or the container is started
 * anew. Whoever comes first does it, as in lib/supervise/settle.ts: the command that the monitor runs, or
 * one that waits for the end.
 */

import { quote, reason } from "../../base/errors.ts";
import type { ContainerName } from "../../caller/options.ts";
import { clear, removeLocked } from "../../container/delete.ts";
import { untilNoted } from "../../monitor/end.ts";
import { processDirectory } from "../../monitor/places.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspect } from "../../state/inspect.ts";
import { withLockIfThere } from "../../state/lock.ts";
import { INIT, readExitRecord } from "../../state/process_record.ts";
import { readSupervised } from "../../state/supervised.ts";
import { noteEnd } from "../../supervise/settle.ts";
import type { SystemPlan } from "../plan/types.ts";
import { unloadProfile } from "./apparmor.ts";
import { tellState } from "./events.ts";
import { heldPaths } from "./held.ts";
import { logOf } from "../log.ts";
import { runStageWarning } from "./hooks.ts";
import { emptyCgroups } from "./own_cgroups.ts";
import { readSystem, type SystemRecord } from "./record.ts";
import { systemNow } from "./state.ts";

/** What is to follow. */
type Target = "stop" | "reboot";

const SIGHUP = 1;

/** Does what is due, for a container by its id; one that runs, or is gone, needs nothing. */
export function settleSystem(given: RuntimeOrSettings, { id }: ContainerName): Promise<void> {
  return inCommand(given, "settle", id, async (unloaded) => {
    const runtime = await load(unloaded);
    const directory = new StateDirectory(unloaded, id);
    await withLockIfThere(runtime, directory, () => settleLocked(runtime, directory));
  });
}

/** The same, for a verb that holds the lock. `wanted`: what is to follow, whatever init asked for. */
export async function settleLocked(
  unlogged: LoadedRuntime,
  directory: StateDirectory,
  wanted?: Target,
): Promise<void> {
  const { state, isLeft } = systemNow(unlogged, directory.id);
  if (state !== "STOPPING" && !isLeft) return;
  const record = readSystem(directory);
  const { plan } = record;
  // What has ended is cleared away, whatever becomes of its log.
  const log = await logOf(unlogged, plan).catch(() => undefined);
  const runtime = log?.on(unlogged) ?? unlogged;
  await untilNoted(runtime, directory);
  await noteEnd(runtime, directory);
  log?.write("NOTICE", "start", "init has ended");
  let target = wanted ?? (isLeft ? "stop" : targetOf(directory));
  await tellState(runtime, directory.id, "STOPPING");
  const monitor = readSupervised(directory.path)?.monitor.pid ?? 0;
  const namespaces = heldPaths(record.held, monitor);
  await runStageWarning(runtime, plan, "stop", { target, namespaces });
  await takeNetworkDown(runtime, record, namespaces["net"]);
  if (!await runStageWarning(runtime, plan, "post-stop", { target })) target = "stop";
  await emptyCgroups(runtime, directory, plan);
  if (target === "reboot" && await startAnew(runtime, directory, record)) return;
  await unloadProfile(runtime, directory, plan).catch((error) => runtime.warn(reason(error)));
  await removeLocked(runtime, directory, { force: true });
  if (plan.beyond.start.ephemeral) await removeContainer(runtime, plan);
  log?.write("NOTICE", "start", "has stopped");
  await tellState(runtime, directory.id, "STOPPED");
}

/** What was meant for one life. */
async function removeContainer(runtime: LoadedRuntime, plan: SystemPlan): Promise<void> {
  const lxcpath = plan.directory.slice(0, -plan.name.length - 1);
  try {
    const { destroyStopped } = await import("../store/remove.ts");
    await destroyStopped(runtime, { lxcpath, name: plan.name });
  } catch (error) {
    runtime.warn(`remove ${quote(plan.directory)}: ${reason(error)}`);
  }
}

/** reboot(2) in a pid namespace ends its init by SIGHUP where it is to be started anew. */
function targetOf(directory: StateDirectory): Target {
  const exit = readExitRecord(processDirectory(directory, INIT));
  return exit?.signal === SIGHUP ? "reboot" : "stop";
}

/** Devices of a namespace that nobody holds are gone already. */
async function takeNetworkDown(
  runtime: LoadedRuntime,
  { plan, devices = [] }: SystemRecord,
  namespace: string | undefined,
): Promise<void> {
  if (devices.length === 0 || namespace === undefined) return;
  try {
    const { Networks, takeDown } = await import("./network.ts");
    using networks = new Networks(runtime, namespace);
    await takeDown(runtime, plan, networks, devices);
  } catch (error) {
    runtime.warn(`take the network down: ${reason(error)}`);
  }
}

/** The same monitor gets another init. Gives whether it has one. */
async function startAnew(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { plan }: SystemRecord,
): Promise<boolean> {
  await tellState(runtime, directory.id, "STOPPED");
  await clear(runtime, directory, inspect(directory), true);
  try {
    const { makeSystem } = await import("./make.ts");
    await makeSystem(runtime, directory, plan);
    return true;
  } catch (error) {
    runtime.warn(`start ${quote(directory.id)} anew: ${reason(error)}`);
    return false;
  }
}

/** `delete`: undoes what create made, and nothing else. */

import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { DisabledCgroup } from "../cgroup/disabled.ts";
import { undoAbandoned } from "../cgroup/clear.ts";
import { freezerOfProcess } from "../cgroup/freezer.ts";
import { makeCgroup } from "../cgroup/mod.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import { ESRCH } from "../base/errno.ts";
import { errnoOf, quote, reason, RuntsError } from "../base/errors.ts";
import { runHooksWarning } from "../hooks/runtime_hooks.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import type { Mount, Spec } from "../spec/types/config.ts";
import { StateDirectory, sweepRemoved } from "../state/directory.ts";
import { doesNotExist, inspect, inspectIfRecorded, type Inspection } from "../state/inspect.ts";
import { readStat } from "../state/liveness.ts";
import type { Status } from "../state/status.ts";
import { absoluteRootfs } from "../base/absolute.ts";
import { cgroupOf, whoPauses } from "../state/cgroup.ts";
import { isSupervised } from "../monitor/places.ts";
import { inCommand } from "../runtime/command.ts";
import { readCopyIfAny } from "../state/config_copy.ts";
import { documentOf } from "../state/document.ts";
import { openInit } from "./kill.ts";
import { withLock, withLockIfThere } from "../state/lock.ts";
import type { DeleteOptions } from "../caller/options.ts";

/** How long a killed init may take to go, in ms. */
const KILL_TIMEOUT = 10_000;

/** Removes a stopped container; with `force`, kills it first, and an unknown one is no error. */
export function remove(given: RuntimeOrSettings, options: DeleteOptions): Promise<void> {
  return inCommand(given, "delete", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    if (!directory.exists()) {
      if (options.force) return sweepRemoved(unloaded.root);
      throw doesNotExist();
    }
    const runtime = await load(unloaded);
    if (options.force) directory.removeUnlessFile("lock");
    const locked = options.force ? withLockIfThere : withLock;
    const body = () => removeLocked(runtime, directory, options);
    await locked(runtime, directory, body, options.signal);
  }, options.signal);
}

/** The same, for a verb that holds the lock already. */
export async function removeLocked(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  options: Pick<DeleteOptions, "force">,
): Promise<void> {
  const found = inspectTolerant(directory, options.force === true);
  await removeFound(runtime, directory, options, found);
}

async function removeFound(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  options: Pick<DeleteOptions, "force">,
  found: Inspection,
  given?: Spec,
): Promise<void> {
  // A container that waits to be started may be deleted, as runc and crun have it.
  if (!["stopped", "created"].includes(found.state) && found.complete && !options.force) {
    throw new RuntsError(
      `cannot delete a container that is not stopped: it is ${found.state}`,
      whoPauses(runtime, found.state, found.status),
    );
  }
  const monitor = isSupervised(directory) ? await import("../monitor/end.ts") : undefined;
  await monitor?.stopCommands(runtime, directory);
  const spec = await clear(runtime, directory, found, options.force === true, given);
  await monitor?.endMonitor(runtime, directory);
  directory.remove(runtime.warn);
  if (found.complete) await monitor?.tellRemoved(runtime, directory.id);
  await runPoststop(runtime, directory, found, spec);
}

/**
 * Ends what lives of it, and undoes what create has made outside of the state directory. Gives what its
 * configuration was, as far as that is known.
 *
 * @param given its configuration, where that is at hand
 */
export async function clear(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  found: Inspection,
  force: boolean,
  given?: Spec,
): Promise<Spec | undefined> {
  const cgroup = await cgroupToRemove(runtime, directory, found, force);
  if (found.state !== "stopped" && found.complete) await end(runtime, found, cgroup);
  const spec = given ?? readCopyIfAny(directory);
  if (cgroup.removeUnused?.() !== true) await clearCgroup(runtime, directory, found, cgroup);
  await detachHostMounts(runtime, found, spec?.mounts);
  if (spec?.linux?.intelRdt !== undefined && found.complete) {
    const { findResctrl, leaveResctrl } = await import("../host/intel_rdt.ts");
    leaveResctrl(directory.id, spec.linux.intelRdt, findResctrl(runtime.caller));
  }
  return spec;
}

/** Ends who is left in the cgroup, and removes it, unless another container has it. */
async function clearCgroup(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  found: Inspection,
  cgroup: CgroupManager,
): Promise<void> {
  const heir = await heirIn(directory, found, cgroup);
  if (heir !== undefined) {
    return runtime.warn(`container ${quote(heir)} is in its cgroup now, which stays`);
  }
  await cgroup.killAll();
  await cgroup.remove();
}

/** Hooks of a container that is no more. */
export async function runPoststop(
  runtime: LoadedRuntime,
  { id }: StateDirectory,
  { status }: Inspection,
  spec: Spec | undefined,
): Promise<void> {
  const state = documentOf({ id, status, copy: spec }, "stopped", 0);
  await runHooksWarning(runtime, "poststop", spec ?? {}, state);
}

/** Another container in the cgroup of one that has ended. */
async function heirIn(
  directory: StateDirectory,
  found: Inspection,
  cgroup: CgroupManager,
): Promise<string | undefined> {
  if (found.state !== "stopped") return undefined;
  const { heirOf } = await import("../state/cgroup_heir.ts");
  return heirOf(directory, found, cgroup);
}

/** With force, a cgroup that may not be touched does not keep the rest from being removed. */
async function cgroupToRemove(
  runtime: Runtime,
  directory: StateDirectory,
  found: Inspection,
  force: boolean,
): Promise<CgroupManager> {
  try {
    return await findCgroup(runtime, directory, found);
  } catch (error) {
    if (!force) throw error;
    runtime.warn(`${reason(error)}; it is left as it is`);
    return new DisabledCgroup();
  }
}

/**
 * Whoever is in the cgroup is going to be killed. A create that was killed before it had its cgroup
 * may have named that of others; nobody of its own was in there yet. Where the status is lost, the
 * cgroup is where create made it by the copy of the configuration.
 */
async function findCgroup(
  runtime: Runtime,
  directory: StateDirectory,
  { status, intent }: Inspection,
): Promise<CgroupManager> {
  if (status.bundle !== "" && intent?.hasCgroup !== false) return await cgroupOf(runtime, status);
  if (intent !== undefined) {
    const { record } = await cgroupOf(runtime, intent.status);
    if (record.kind !== "systemd") await undoAbandoned(Object.values(record.paths));
    return new DisabledCgroup();
  }
  const copy = readCopyIfAny(directory);
  if (copy === undefined) return new DisabledCgroup();
  const cgroupsPath = copy.linux?.cgroupsPath;
  const place = cgroupsPath ? { cgroupsPath } : {};
  return await makeCgroup(runtime, { id: directory.id, rootless: true, ...place });
}

/** What was mounted on the host for want of a mount namespace: not before the copy was written. */
async function detachHostMounts(
  { caller }: Runtime,
  { status, intent }: Inspection,
  mounts: readonly Mount[] = [],
): Promise<void> {
  const before = intent?.mountsBefore;
  if (!status.hostMounts?.length && before === undefined) return;
  const { detachMounts, newMountIds } = await import("../host/mounts.ts");
  const place = {
    rootfs: absoluteRootfs(status.bundle, status.rootfs),
    destinations: mounts.map(({ destination }) => String(destination)),
  };
  detachMounts(
    caller,
    place,
    before ? newMountIds(caller, place, before) : status.hostMounts ?? [],
  );
}

/**
 * Removes it by force, unless somebody else has, and perhaps made another one of the same name.
 *
 * @param spec its configuration, where that is at hand
 */
export function removeThis(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  pid: number,
  spec?: Spec,
): Promise<void> {
  return withLockIfThere(runtime, directory, async () => {
    const found = inspectIfRecorded(directory);
    if (found?.complete !== true || found.status.pid !== pid) return;
    await removeFound(runtime, directory, { force: true }, found, spec);
  });
}

/** A damaged status must not keep a container from being deleted by force. */
function inspectTolerant(directory: StateDirectory, force: boolean): Inspection {
  try {
    const found = inspectIfRecorded(directory);
    if (found !== undefined) return found;
    // It may be that of another runtime, which is about to make a container.
    if (!force) return inspect(directory);
    return { state: "stopped", status: UNKNOWN, complete: false };
  } catch (error) {
    if (!force || !directory.exists()) throw error;
    for (const name of RECORDS) directory.removeUnlessFile(name);
    const intent = directory.readIntent();
    if (intent === undefined) directory.write("status", BROKEN);
    else directory.writeStatus(intent.status);
    return inspect(directory);
  }
}

/** Of a container that nothing is recorded of. */
const UNKNOWN: Status = {
  pid: 0,
  startTime: 0,
  cgroupPath: "",
  scope: "",
  rootfs: "",
  systemdCgroup: false,
  bundle: "",
  created: "",
  owner: "",
  detached: true,
  externalDescriptors: [],
};

const RECORDS = ["status", "creating", "preparing"];
const BROKEN = '{"pid":0,"process-start-time":0,"bundle":""}';

/** Kills init and waits until it is gone. */
async function end(
  runtime: LoadedRuntime,
  found: Inspection,
  cgroup: CgroupManager,
): Promise<void> {
  const { helper, body } = runtime;
  let pidfd: number;
  try {
    pidfd = openInit(runtime, found.status);
  } catch {
    return; // it went by itself
  }
  try {
    helper.sendSignal(pidfd, SIGKILL);
    const within = (timeoutMs: number) => helper.awaitExit(pidfd, { timeoutMs });
    if (!await within(2)) await cgroup.killAll();
    if (!await within(KILL_TIMEOUT)) throw stillThere(runtime, found.status.pid);
    await body.reap({ pid: found.status.pid, pidfd });
  } catch (error) {
    if (errnoOf(error) !== ESRCH) throw error;
  } finally {
    helper.close(pidfd);
  }
}

const STATES: Record<string, string> = {
  D: "in uninterruptible sleep",
  T: "stopped by a signal",
  t: "stopped by a tracer",
  Z: "a zombie that its parent does not reap",
};

function stillThere(runtime: Runtime, pid: number): RuntsError {
  const operation = `init (pid ${pid}) did not end within ${KILL_TIMEOUT / 1000} s`;
  // The kernel shows a frozen process as one in uninterruptible sleep.
  const freezer = freezerOfProcess(runtime, pid);
  if (freezer !== undefined) {
    const cause = `it is in cgroup ${quote(freezer)}, which is frozen`;
    return new RuntsError(operation, { cause, hint: "thaw that one" });
  }
  const letter = readStat(pid)?.state ?? "?";
  return new RuntsError(operation, {
    hint: `it is ${STATES[letter] ?? `in state ${quote(letter)}`}`,
  });
}

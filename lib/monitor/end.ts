/** Ending the monitor of a container that is being deleted. */

import { delay } from "../base/delay.ts";
import { ESRCH } from "../base/errno.ts";
import { errnoOf, reason } from "../base/errors.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import type { StateDirectory } from "../state/directory.ts";
import { isAlive, readStat, readStatIn } from "../state/liveness.ts";
import { INIT, type ProcessName } from "../state/process_record.ts";
import { readSupervised, type Supervised } from "../state/supervised.ts";
import { abandonMonitorCgroup, removeMonitorCgroup, usualCgroup } from "./cgroup.ts";
import { connectMonitor, withMonitor } from "./connect.ts";
import { isMonitored, lookAt, processStanding } from "./standing.ts";
import { tell, tellEnd } from "./tell.ts";

/** How long a monitor may take to note an end that there has been, and to end itself, in ms. */
const NOTE_TIMEOUT = 1_000;
const END_TIMEOUT = 2_000;
/** Between two looks, in ms. */
const PAUSE = 2;

/** From now on nobody is called when the container ends. */
export async function stopCommands(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<void> {
  await withMonitor(runtime, directory, async (monitor) => {
    await monitor.command(undefined);
    await monitor.wake(0);
  });
}

/** Nothing of the container lives any more: tells how it ended, and ends its monitor, whose cgroup goes. */
export async function endMonitor(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<void> {
  const supervised = recordIfAny(runtime, directory);
  try {
    await untilNoted(runtime, directory);
    await tellEnd(runtime, directory);
  } catch (error) {
    runtime.warn(reason(error));
  }
  const name = await nameOf(runtime, directory, supervised);
  const cgroup = supervised ? supervised.monitor.cgroup : usual(directory);
  if (name !== undefined && isOurParent(runtime, name)) {
    // It ends once we have.
    await withMonitor(runtime, directory, (monitor) => monitor.leave());
    abandonMonitorCgroup(runtime, cgroup, [name.pid, runtime.caller.pid]);
    return;
  }
  if (name !== undefined) await endProcess(runtime, directory, name);
  await removeMonitorCgroup(runtime, cgroup);
}

/** Whether we are the command that the monitor runs. */
function isOurParent({ caller }: LoadedRuntime, { pid }: ProcessName): boolean {
  return readStatIn(caller.proc)?.parent === pid;
}

/** Where the cgroup of its monitor should be, of a container whose record is damaged. */
function usual(directory: StateDirectory): CgroupRecord | undefined {
  try {
    const cgroup = directory.readStatus()?.cgroup;
    return cgroup && usualCgroup(directory.id, cgroup);
  } catch {
    return undefined;
  }
}

/** The container is gone. */
export async function tellRemoved(runtime: LoadedRuntime, id: string): Promise<void> {
  await tell(runtime, { type: "removed", id });
}

/** Waits until the monitor has written down how init ended. */
export async function untilNoted(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<void> {
  const end = performance.now() + NOTE_TIMEOUT;
  const boot = runtime.host.get(bootId);
  while (performance.now() < end) {
    const supervised = readSupervised(directory.path);
    if (supervised === undefined) return;
    const look = { ...lookAt(supervised, boot), warn: () => {} };
    if (processStanding(directory, INIT, look)?.status !== "running") return;
    await delay(PAUSE);
  }
}

function recordIfAny(runtime: LoadedRuntime, directory: StateDirectory): Supervised | undefined {
  try {
    return readSupervised(directory.path);
  } catch (error) {
    runtime.warn(reason(error));
    return undefined;
  }
}

/** Whoever started it may have been killed before its pid was written down. */
async function nameOf(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  supervised: Supervised | undefined,
): Promise<ProcessName | undefined> {
  if (supervised && supervised.monitor.pid > 0) {
    return isMonitored(supervised, runtime.host.get(bootId)) ? supervised.monitor : undefined;
  }
  using monitor = await connectMonitor(runtime, directory);
  const pid = (await monitor?.hello())?.pid;
  const startTime = pid === undefined ? undefined : readStat(pid)?.startTime;
  return pid === undefined || startTime === undefined ? undefined : { pid, startTime };
}

async function endProcess(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { pid, startTime }: ProcessName,
): Promise<void> {
  const { helper } = runtime;
  const pidfd = openProcess(runtime, pid);
  if (pidfd === undefined) return;
  try {
    if (!isAlive(pid, startTime)) return;
    // A command that it runs waits for our lock.
    const others = childrenOf(pid).filter((child) => child !== runtime.caller.pid);
    for (const child of others) signalChild(runtime, child, pid);
    await withMonitor(runtime, directory, (monitor) => monitor.leave());
    if (await helper.awaitExit(pidfd, { timeoutMs: END_TIMEOUT })) return;
    helper.sendSignal(pidfd, SIGKILL);
    await helper.awaitExit(pidfd, { timeoutMs: END_TIMEOUT });
  } catch (error) {
    if (errnoOf(error) !== ESRCH) throw error;
  } finally {
    helper.close(pidfd);
  }
}

function openProcess({ helper }: LoadedRuntime, pid: number): number | undefined {
  try {
    return helper.openPidfd(pid);
  } catch (error) {
    if (errnoOf(error) === ESRCH) return undefined;
    throw error;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ").map(Number)
      .filter((child) => child > 0);
  } catch {
    return []; // it has ended
  }
}

/** A pid may be that of another process by now: its parent must still be the monitor. */
function signalChild(runtime: LoadedRuntime, child: number, parent: number): void {
  const pidfd = openProcess(runtime, child);
  if (pidfd === undefined) return;
  try {
    if (readStat(child)?.parent === parent) runtime.helper.sendSignal(pidfd, SIGKILL);
  } catch (error) {
    if (errnoOf(error) !== ESRCH) throw error;
  } finally {
    runtime.helper.close(pidfd);
  }
}

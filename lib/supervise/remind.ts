/**
 * What anybody may do who finds that a container has ended: write that down, and remind the monitor of a
 * start that is due. The start itself is for the command that the monitor runs: it has none of the
 * caller's environment, directory, limits or cgroup, and outlives the caller.
 */

import { Undo } from "../base/undo.ts";
import { withMonitor } from "../monitor/connect.ts";
import { isMonitored } from "../monitor/standing.ts";
import { startMonitor } from "../monitor/start.ts";
import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import { withLockIfThere } from "../state/lock.ts";
import { readSupervised, type Supervised, writeSupervised } from "../state/supervised.ts";
import { noteEnd } from "./settle.ts";

/** So long, in ms, the command that the monitor runs by itself may be late. */
const LATE = 300;
/** The monitor runs its command in so many ms. */
const AT_ONCE = 1;

/** Writes down that it has ended, if nobody has. */
export function noteEndOf(runtime: LoadedRuntime, directory: StateDirectory): Promise<void> {
  return withLockIfThere(runtime, directory, () => noteEnd(runtime, directory));
}

/** Sees to it that somebody starts the container, if that should have been done by now. */
export async function remind(runtime: LoadedRuntime, directory: StateDirectory): Promise<void> {
  const supervised = readSupervised(directory.path);
  if (supervised === undefined || !isLate(supervised)) return;
  if (await withMonitor(runtime, directory, (monitor) => monitor.wake(AT_ONCE))) return;
  await withLockIfThere(runtime, directory, () => startAnother(runtime, directory));
}

function isLate({ nextStart }: Supervised): boolean {
  return nextStart !== undefined && Date.now() >= Date.parse(nextStart) + LATE;
}

/** Its monitor was killed: another one takes its place, and runs the command. */
async function startAnother(runtime: LoadedRuntime, directory: StateDirectory): Promise<void> {
  const supervised = readSupervised(directory.path);
  const cgroup = directory.readStatus()?.cgroup;
  if (supervised === undefined || cgroup === undefined || !isLate(supervised)) return;
  if (isMonitored(supervised, runtime.host.get(bootId))) return;
  const undo = new Undo();
  try {
    const note = (monitor: Supervised["monitor"]) =>
      writeSupervised(directory.path, { ...supervised, monitor });
    const { monitor } = await startMonitor(runtime, directory, cgroup, undo, note);
    await monitor.wake(AT_ONCE);
    monitor[Symbol.dispose]();
  } catch (error) {
    await undo.run(() => {});
    throw error;
  }
}

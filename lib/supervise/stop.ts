/** `stop`: the stop signal, and after a time KILL. */

import { reason, RuntsError } from "../base/errors.ts";
import type { ContainerName, WaitOptions } from "../caller/options.ts";
import { openInit } from "../container/kill.ts";
import { withMonitor } from "../monitor/connect.ts";
import { untilNoted } from "../monitor/end.ts";
import { isSupervised } from "../monitor/places.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { SIGKILL, SIGTERM } from "../spec/values/signals.ts";
import { annotatedSignal } from "../spec/values/stop_signal.ts";
import { cgroupOf } from "../state/cgroup.ts";
import { hasOwnPidNamespace, readCopyIfAny } from "../state/config_copy.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { withLock } from "../state/lock.ts";
import { readSupervised, writeSupervised } from "../state/supervised.ts";
import { noteEndOf } from "./remind.ts";

/** What is stopped, and how long it may take. */
export interface StopOptions extends ContainerName, WaitOptions {
  /** Milliseconds between the stop signal and KILL; default what create was told, else 10,000. */
  readonly timeout?: number;
}

const TIMEOUT = 10_000;
/** How long a killed init may take to go, in ms. */
const KILL_TIMEOUT = 10_000;

/** Stops a container, and returns once it has stopped. It is not started anew; one that has stopped stays so. */
export function stop(given: RuntimeOrSettings, options: StopOptions): Promise<void> {
  return inCommand(given, "stop", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    inspect(directory);
    const runtime = await load(unloaded);
    await stopIt(runtime, directory, options);
    if (isSupervised(directory)) await noteEndOf(runtime, directory);
  }, options.signal);
}

/** The same, without what follows of the end. */
export async function stopIt(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  options: StopOptions,
): Promise<void> {
  const { signal } = options;
  const timeout = await withLock(runtime, directory, () => stayDown(runtime, directory), signal);
  await end(runtime, directory, options.timeout ?? timeout ?? TIMEOUT, signal);
  if (isSupervised(directory)) await untilNoted(runtime, directory);
}

/** Whatever is to come is called off. Gives the time-out that the container has. */
async function stayDown(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<number | undefined> {
  try {
    const supervised = readSupervised(directory.path);
    if (supervised === undefined) return undefined;
    const { nextStart: _, ...rest } = supervised;
    writeSupervised(directory.path, { ...rest, stoppedByHand: true });
    await withMonitor(runtime, directory, (monitor) => monitor.wake(0));
    return supervised.stopTimeout;
  } catch (error) {
    runtime.warn(reason(error));
    return undefined;
  }
}

async function end(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { helper } = runtime;
  const found = inspect(directory);
  if (found.state === "stopped") return;
  if (found.state === "creating") throw new RuntsError("it is being created");
  const pidfd = openIfAlive(runtime, found);
  if (pidfd === undefined) return;
  try {
    const ended = await askToEnd(runtime, directory, found, { pidfd, timeout, signal });
    if (!ended) helper.sendSignal(pidfd, SIGKILL);
    // Without a pid namespace of its own, the end of init takes nobody with it.
    const cgroup = await cgroupOf(runtime, found.status);
    if (!ended || !hasOwnPidNamespace(directory)) await cgroup.killAll();
    if (await helper.awaitExit(pidfd, { timeoutMs: KILL_TIMEOUT })) return;
    throw new RuntsError(
      `init (pid ${found.status.pid}) did not end within ${KILL_TIMEOUT / 1000} s after KILL`,
    );
  } finally {
    helper.close(pidfd);
  }
}

function openIfAlive(runtime: LoadedRuntime, { status }: Inspection): number | undefined {
  try {
    return openInit(runtime, status);
  } catch {
    return undefined; // it has just ended
  }
}

/** What the asking takes. */
interface Asking {
  readonly pidfd: number;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** Gives whether it has ended. Where no program runs yet, there is nobody to ask. */
async function askToEnd(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { state, status }: Inspection,
  { pidfd, timeout, signal }: Asking,
): Promise<boolean> {
  const { helper } = runtime;
  if (state === "created") return false;
  helper.sendSignal(pidfd, annotatedSignal(readCopyIfAny(directory)?.annotations) ?? SIGTERM);
  if (state === "paused") await (await cgroupOf(runtime, status)).thaw();
  return await helper.awaitExit(pidfd, { timeoutMs: timeout, signal });
}

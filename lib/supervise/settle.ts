/**
 * What follows of the end of a container: it is told of, its record is copied to where it outlives a
 * reboot, and the container is started anew where its rule says so. Whoever comes first does it: the
 * command that the monitor runs on an end, or one that waits for it. The lock of the container, and what
 * supervised.json holds, see to it that it is done once.
 */

import { delay } from "../base/delay.ts";
import { quote, reason } from "../base/errors.ts";
import type { ContainerName } from "../caller/options.ts";
import { withMonitor } from "../monitor/connect.ts";
import { isSupervised } from "../monitor/places.ts";
import { persist } from "../monitor/persist.ts";
import { type NewEnd, tell, tellEnd, tellStarted } from "../monitor/tell.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { withLockIfThere } from "../state/lock.ts";
import { readSupervised, type Supervised, writeSupervised } from "../state/supervised.ts";
import type { ExitRecord } from "../state/process_record.ts";
import type { Afterwards } from "./anew.ts";
import { restartDelay } from "./restart_rule.ts";

/** A delay up to this, in ms, is waited for here; for a longer one the monitor runs a command. */
const SHORT = 1_000;
/** How long a command takes to be there, in ms. */
const STARTUP = 100;
/** How long it takes until a container is made, in ms. */
const MAKING = 40;
/** After this, in ms, another process does what this one did not get to its end. */
const HELP = 10_000;

/** What is to be done next: nothing, wait for so many ms, or finish a start without the lock. */
type Next = number | Afterwards | undefined;

/** Does what is due. Returns when nothing is left to be done, or not before a while. */
async function settle(runtime: LoadedRuntime, directory: StateDirectory): Promise<void> {
  for (;;) {
    let next: Next;
    await withLockIfThere(runtime, directory, async () => {
      next = await settleLocked(runtime, directory);
    });
    if (next === undefined) return;
    await (typeof next === "number" ? delay(next) : next());
  }
}

/** The same for a container by its name; one that is gone, or has no monitor, needs nothing. */
export function settleOf(given: RuntimeOrSettings, { id }: ContainerName): Promise<void> {
  return inCommand(given, "settle", id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, id);
    if (isSupervised(directory)) await settle(await load(unloaded), directory);
  });
}

async function settleLocked(runtime: LoadedRuntime, directory: StateDirectory): Promise<Next> {
  await noteEnd(runtime, directory);
  const supervised = readSupervised(directory.path);
  if (supervised !== undefined) await persist(runtime, directory, supervised);
  if (supervised?.nextStart === undefined) return undefined;
  const { state, status } = inspect(directory);
  if (state === "running" || state === "paused") {
    // Whoever started it was killed before that was told.
    await tellStarted(runtime, directory, status.pid);
    return undefined;
  }
  const next = Date.parse(supervised.nextStart);
  const left = next - MAKING - Date.now();
  if (left <= 0) return await startAgain(runtime, directory, supervised, next);
  const isShort = left <= SHORT;
  const wake = isShort ? left + HELP : left - STARTUP;
  const willWake = await withMonitor(runtime, directory, (monitor) => monitor.wake(wake));
  return isShort || !willWake ? left : undefined;
}

/** Tells of an end of init, once, and writes down what follows of it. For a verb that holds the lock. */
export async function noteEnd(runtime: LoadedRuntime, directory: StateDirectory): Promise<void> {
  const end = await tellEnd(runtime, directory);
  if (end !== undefined) await decide(runtime, directory, end, delayAfter(directory, end));
}

function delayAfter(
  directory: StateDirectory,
  { supervised, exit }: NewEnd,
): number | undefined {
  const { started } = supervised;
  // What was never started has not failed; whoever started it may have been killed before that was told.
  if (started === undefined && directory.waitsForStart()) return undefined;
  const ran = started === undefined ? 0 : timeOf(exit) - Date.parse(started);
  return restartDelay(supervised, { ran, ...(exit && { code: exit.code }) });
}

function timeOf(exit: ExitRecord | undefined): number {
  return exit === undefined ? Date.now() : Date.parse(exit.at);
}

/** Writes down that an end was told, and when the container is going to be started anew. */
async function decide(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { supervised, record: { pid, startTime }, exit }: NewEnd,
  delay: number | undefined,
): Promise<void> {
  const ended = { ...supervised, lastEnd: { pid, startTime, ...(exit && { exit }) } };
  if (delay === undefined) writeSupervised(directory.path, ended);
  else await putOff(runtime, directory, ended, timeOf(exit) + delay, delay);
}

/** It will be started anew. */
async function putOff(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  ended: Supervised,
  next: number,
  delay: number,
): Promise<void> {
  const nextStart = new Date(next).toISOString();
  writeSupervised(directory.path, { ...ended, lastDelay: delay, nextStart });
  const { failure } = ended;
  await tell(runtime, {
    type: "restarting",
    id: directory.id,
    delay,
    ...(failure !== undefined && { failure }),
  });
}

async function startAgain(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  waiting: Supervised,
  at: number,
): Promise<Next> {
  // It is counted before it is tried: whoever tries may be killed each time.
  writeSupervised(directory.path, { ...waiting, restarts: waiting.restarts + 1 });
  await withMonitor(runtime, directory, (monitor) => monitor.wake(HELP));
  try {
    // Most containers end for good.
    const { startAnew } = await import("./anew.ts");
    const afterwards = await startAnew(runtime, directory, at);
    await withMonitor(runtime, directory, (monitor) => monitor.wake(0));
    return () => afterwards().catch((error) => runtime.warn(failedText(directory, error)));
  } catch (error) {
    const failure = reason(error);
    runtime.warn(failedText(directory, error));
    await afterFailure(runtime, directory, failure);
    return 0;
  }
}

function failedText({ id }: StateDirectory, error: unknown): string {
  return `start ${quote(id)} anew: ${reason(error)}`;
}

/** A start that fails is a failure of the container. */
async function afterFailure(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  failure: string,
): Promise<void> {
  const end = await tellEnd(runtime, directory);
  const { nextStart: _, ...rest } = readSupervised(directory.path)!;
  const supervised = { ...rest, failure };
  const delay = restartDelay(supervised, { ran: 0 });
  if (end !== undefined) await decide(runtime, directory, { ...end, supervised }, delay);
  else if (delay === undefined) writeSupervised(directory.path, supervised);
  else await putOff(runtime, directory, supervised, Date.now() + delay, delay);
}

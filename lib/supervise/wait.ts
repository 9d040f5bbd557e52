/** `wait`: how a process of a supervised container ended. */

import { O_NONBLOCK, O_RDONLY } from "../base/linux.ts";
import { delay } from "../base/delay.ts";
import { ENOENT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import type { ContainerName, WaitOptions } from "../caller/options.ts";
import { processDirectory } from "../monitor/places.ts";
import {
  isSame,
  lookAt,
  type ProcessStanding,
  processStanding,
  standingOf,
} from "../monitor/standing.ts";
import { inCommand } from "../runtime/command.ts";
import { bootId } from "../runtime/host.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { doesNotExist } from "../state/inspect.ts";
import { type ExitRecord, INIT, type ProcessName } from "../state/process_record.ts";
import { withLock } from "../state/lock.ts";
import { readSupervised, type Supervised } from "../state/supervised.ts";
import { remind } from "./remind.ts";
import { noteEnd } from "./settle.ts";

/** What is waited for. */
export interface WaitForOptions extends ContainerName, WaitOptions {
  /** Id of an exec; by default it is the container's program, until it is not started anew any more. */
  readonly process?: string;
}

/** Between two looks at what no descriptor tells of, in ms. */
const PAUSE = 20;
/** After this, in ms, it is looked whether there still is somebody who tells. */
const LOOK_AGAIN = 1_000;

/** Waits for the end, and gives how it was. Throws when that is lost. */
export function wait(given: RuntimeOrSettings, options: WaitForOptions): Promise<ExitRecord> {
  return inCommand(given, "wait", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    supervisedOf(directory);
    const runtime = await load(unloaded);
    const { process = INIT, signal } = options;
    const { exit } = await untilOver(runtime, directory, process, signal);
    return exit ?? lost();
  }, options.signal);
}

/** The same for one process of that name, whoever comes after it. Throws, too, when nobody will note its end. */
export function waitFor(
  given: RuntimeOrSettings,
  options: WaitForOptions,
  of: ProcessName,
): Promise<ExitRecord> {
  return inCommand(given, "wait", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    const runtime = await load(unloaded);
    const { process = INIT, signal } = options;
    for (;;) {
      const known = endOf(runtime, directory, process, of);
      if (known !== "running") return known ?? lost();
      await untilRecorded(runtime, directory, process, signal, PAUSE);
    }
  }, options.signal);
}

function lost(): never {
  throw new RuntsError("it has ended, and how is lost", {
    hint: "its monitor had ended before it did",
  });
}

/** How it ended; undefined when nobody can say. */
function endOf(
  runtime: Runtime,
  directory: StateDirectory,
  name: string,
  of: ProcessName,
): ExitRecord | "running" | undefined {
  const { lastEnd } = supervisedOf(directory);
  if (name === INIT && lastEnd && isSame(lastEnd, of)) return lastEnd.exit;
  const { record, status, exit, orphaned } = standingNow(runtime, directory, name);
  if (record === undefined || !isSame(record, of)) return undefined;
  if (orphaned) throw new RuntsError("its monitor has ended");
  return status === "running" ? "running" : exit;
}

/** Waits until a process has ended; init, until it is not started anew any more. */
export async function untilOver(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  name: string,
  signal?: AbortSignal,
): Promise<ProcessStanding> {
  let reminded = 0;
  for (;;) {
    const ended = await untilEnded(runtime, directory, name, signal);
    if (name !== INIT) return ended;
    const over = await withLock(runtime, directory, () => initIfOver(runtime, directory), signal);
    if (over !== undefined) return over;
    if (performance.now() - reminded > LOOK_AGAIN) {
      reminded = performance.now();
      await remind(runtime, directory);
    }
    await delay(pauseFor(supervisedOf(directory)), signal);
  }
}

/** Whoever has long to wait looks less often. */
function pauseFor({ nextStart }: Supervised): number {
  const left = nextStart === undefined ? 0 : Date.parse(nextStart) - Date.now();
  return Math.min(Math.max(left, PAUSE), LOOK_AGAIN);
}

/** Init, if it has ended and is not going to be started anew. For a verb that holds the lock. */
async function initIfOver(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<ProcessStanding | undefined> {
  // Whoever is called on an end may not be there yet.
  await noteEnd(runtime, directory);
  const standing = standingOf(directory, runtime.host.get(bootId), runtime.warn);
  if (standing?.init === undefined || standing.init.status === "running") return undefined;
  const { supervised: { nextStart, lastEnd }, init } = standing;
  return nextStart === undefined && isThis(init.record, lastEnd) ? init : undefined;
}

/** The record of all; throws for a container that is not there, or that has no monitor. */
export function supervisedOf(directory: StateDirectory): Supervised {
  if (!directory.exists()) throw doesNotExist();
  const supervised = readSupervised(directory.path);
  if (supervised !== undefined) return supervised;
  throw new RuntsError("it has no monitor", { hint: "create it with --supervised" });
}

function isThis(one: ProcessName | undefined, other: ProcessName | undefined): boolean {
  return one !== undefined && other !== undefined ? isSame(one, other) : one === other;
}

/** Waits until a process has ended, of which there is a record then, or nobody can make one. */
async function untilEnded(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ProcessStanding> {
  for (;;) {
    const standing = standingNow(runtime, directory, name);
    if (standing.status !== "running") return standing;
    if (standing.orphaned) await untilGone(runtime, standing, signal);
    else if (!await untilRecorded(runtime, directory, name, signal)) await delay(PAUSE, signal);
  }
}

/** How a process stands; throws where there is none of that name. */
export function standingNow(
  runtime: Runtime,
  directory: StateDirectory,
  name: string,
): ProcessStanding {
  const boot = runtime.host.get(bootId);
  const look = { ...lookAt(supervisedOf(directory), boot), warn: runtime.warn };
  const standing = name === INIT
    ? standingOf(directory, boot, runtime.warn)?.init
    : processStanding(directory, name, look);
  if (standing !== undefined) return standing;
  throw new RuntsError(`it has no process ${quote(name)}`);
}

/** Its monitor has ended, and its parent is somebody else now. */
async function untilGone(
  { helper }: LoadedRuntime,
  { record }: ProcessStanding,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pidfd = helper.openPidfd(record!.pid);
  try {
    await helper.awaitExit(pidfd, { signal });
  } finally {
    helper.close(pidfd);
  }
}

/** Waits for the end of the fifo, which the monitor holds; false when it is not there any more. */
async function untilRecorded(
  { helper }: LoadedRuntime,
  directory: StateDirectory,
  name: string,
  signal: AbortSignal | undefined,
  timeoutMs = LOOK_AGAIN,
): Promise<boolean> {
  let fifo: number;
  try {
    fifo = helper.open(`${processDirectory(directory, name)}/exit`, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return false;
    throw error;
  }
  try {
    // Without a writer from the beginning a fifo has no end: the monitor may just have been killed.
    await helper.awaitFds([fifo], { signal, timeoutMs });
    return true;
  } finally {
    helper.close(fifo);
  }
}

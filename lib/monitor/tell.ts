/** Telling of what happened to a supervised container, once each. */

import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import type { ExitRecord, ProcessRecord } from "../state/process_record.ts";
import { readSupervised, type Supervised, writeSupervised } from "../state/supervised.ts";
import { Journal, type NewEvent } from "./journal.ts";
import { persist } from "./persist.ts";
import { isSame, standingOf } from "./standing.ts";

/** An end of init that nobody had told of. */
export interface NewEnd {
  readonly supervised: Supervised;
  readonly record: ProcessRecord;
  /** Absent where it is lost how it ended. */
  readonly exit?: ExitRecord;
}

/** The program was started. For a verb that holds the lock. */
export async function tellStarted(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  pid: number,
): Promise<void> {
  const supervised = readSupervised(directory.path);
  if (supervised === undefined) return;
  const started = new Date().toISOString();
  const { nextStart: _, failure: __, ...rest } = supervised;
  writeSupervised(directory.path, { ...rest, started, stoppedByHand: false });
  await tell(runtime, { type: "started", id: directory.id, pid, time: started });
}

/** Appends an event to those of the state root. */
export async function tell(runtime: LoadedRuntime, event: NewEvent): Promise<void> {
  await new Journal(runtime.root).append(runtime.helper, event);
}

/**
 * Tells of the end of init, if it has ended and nobody has told of it yet. For a verb that holds the lock;
 * it writes down that it was told, with what it makes of it.
 */
export async function tellEnd(
  runtime: LoadedRuntime,
  directory: StateDirectory,
): Promise<NewEnd | undefined> {
  // A container that was never finished has never been.
  if (directory.readStatus() === undefined) return undefined;
  const standing = standingOf(directory, runtime.host.get(bootId), runtime.warn);
  if (standing?.init?.record === undefined || standing.init.status === "running") return undefined;
  const { supervised, init: { record, exit } } = standing;
  if (supervised.lastEnd && isSame(supervised.lastEnd, record)) return undefined;
  const about = { id: directory.id, pid: record.pid };
  if (exit === undefined) await tellOnce(runtime, { type: "lost", ...about });
  else {
    const { at: time, code, signal, oom } = exit;
    if (oom) await tellOnce(runtime, { type: "oom", time, ...about });
    await tellOnce(runtime, { type: "exited", time, ...about, code, signal });
  }
  await persist(runtime, directory, supervised);
  return { supervised, record, ...(exit && { exit }) };
}

/** Whoever told of it before may have been killed before that was written down. */
async function tellOnce(runtime: LoadedRuntime, event: NewEvent): Promise<void> {
  await new Journal(runtime.root).append(runtime.helper, event, true);
}

/** What state a container is in, from its directory and the process that it names. */

import { frozenByRecord } from "../cgroup/frozen.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { bootId } from "../runtime/host.ts";
import type { Intent, StateDirectory } from "./directory.ts";
import { aliveStat, isAlive } from "./liveness.ts";
import type { ContainerState } from "../spec/types/state.ts";
import type { Status } from "./status.ts";

/** A container as it is now. */
export interface Inspection {
  readonly state: ContainerState;
  /** For a container that was never finished: what create had set out to make. */
  readonly status: Status;
  /** Whether create got to its end. */
  readonly complete: boolean;
  /** What a create that has not got to its end had written down. */
  readonly intent?: Intent;
}

/** Looks at a container. An unknown one, or one without any record, is `container does not exist`. */
export function inspect(directory: StateDirectory): Inspection {
  let found = inspectIfRecorded(directory);
  if (found !== undefined) return found;
  if (!directory.exists() || directory.isUnused()) throw doesNotExist();
  found = inspectIfRecorded(directory); // the record may just have been written
  if (found !== undefined) return found;
  throw doesNotExist(`there is no record of it in ${quote(directory.path)}`);
}

/**
 * The same; undefined where nothing is recorded. That is so before create has written down what it
 * is about to make, for any runtime, and after the directory has gone.
 */
export function inspectIfRecorded(directory: StateDirectory): Inspection | undefined {
  if (!directory.exists()) return undefined;
  const status = directory.readStatus();
  if (status !== undefined) return finished(directory, status);
  const intent = currentIntent(directory);
  const creating = intent !== undefined && isAtWork(directory, intent);
  if (!creating) {
    // Between two looks, create may have got to its end, or have failed and removed everything.
    const late = directory.readStatus();
    if (late !== undefined) return finished(directory, late);
    if (intent === undefined || !directory.exists()) return undefined;
  }
  const state = creating ? "creating" : "stopped";
  return { state, status: intent.status, complete: false, intent };
}

function finished(directory: StateDirectory, recorded: Status): Inspection {
  if (!isThisBoot(directory, recorded)) {
    return { state: "stopped", status: ended(recorded), complete: true };
  }
  return { state: stateOf(directory, recorded), status: recorded, complete: true };
}

/** Of another boot nothing is left; processes, cgroups and mounts that look like it are others'. */
function ended(status: Status): Status {
  const cgroup = { kind: "disabled", path: status.cgroupPath, paths: {} } as const;
  return { ...status, pid: 0, startTime: 0, cgroup, hostMounts: [] };
}

function currentIntent(directory: StateDirectory): Intent | undefined {
  const intent = directory.readIntent();
  if (intent === undefined || isThisBoot(directory, intent.status)) return intent;
  const creator = { pid: 0, startTime: 0 };
  return { creator, status: ended(intent.status), hasCgroup: false };
}

/** A creator in another pid namespace cannot be seen, but its lock can. */
function isAtWork(directory: StateDirectory, { creator }: Intent): boolean {
  return isAlive(creator.pid, creator.startTime) || directory.isLocked();
}

/** The error for an id that names no container; clients look for its words. */
export function doesNotExist(hint?: string): RuntsError {
  return new RuntsError("container does not exist", { hint });
}

function stateOf(directory: StateDirectory, status: Status): ContainerState {
  const stat = aliveStat(status);
  if (stat === undefined) return "stopped";
  // One that waits to be started can be paused, too, and must be resumed before it is started.
  if (frozenByRecord(status.cgroup, status.pid)) return "paused";
  // A start that was killed may have let init go and left the fifo.
  if (stat.executed) return "running";
  const waits = directory.waitsForStart();
  // Who deletes it ends it before the fifo goes.
  const later = aliveStat(status);
  if (later === undefined) return "stopped";
  return waits && !later.executed ? "created" : "running";
}

function isThisBoot({ runtime }: StateDirectory, status: Status): boolean {
  return status.bootId === undefined || status.bootId === runtime.host.get(bootId);
}

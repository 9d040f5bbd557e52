/** How a supervised container stands, by its records and by who lives. */

import { reason } from "../base/errors.ts";
import { processDirectory } from "./places.ts";
import type { StateDirectory } from "../state/directory.ts";
import { isAlive } from "../state/liveness.ts";
import {
  type ExitRecord,
  INIT,
  type ProcessName,
  type ProcessRecord,
  readExitRecord,
  readProcessRecord,
} from "../state/process_record.ts";
import { readSupervised, type Supervised } from "../state/supervised.ts";

/** How a process stands: `lost` has ended, and nobody can say how. */
export type ProcessStatus = "running" | "ended" | "lost";

/** A process that a monitor looks after, or looked after. */
export interface ProcessStanding {
  readonly status: ProcessStatus;
  /** Absent for one whose record is damaged. */
  readonly record?: ProcessRecord;
  /** How it ended, where that is known. */
  readonly exit?: ExitRecord;
  /** Whether it lives, and nobody will note its end. */
  readonly orphaned: boolean;
}

/** A supervised container. */
export interface Standing {
  readonly supervised: Supervised;
  /** Whether its monitor lives. */
  readonly monitored: boolean;
  /** Absent before there is one. */
  readonly init?: ProcessStanding;
}

/** Takes what is wrong with a record, and does not keep the others from being read. */
type Warn = (message: string) => void;

/** Looks at a container; undefined for one without a monitor. Throws where the record of all is damaged. */
export function standingOf(
  directory: StateDirectory,
  bootId: string,
  warn: Warn,
): Standing | undefined {
  const supervised = readSupervised(directory.path);
  if (supervised === undefined) return undefined;
  const monitored = isMonitored(supervised, bootId);
  const init = processStanding(directory, INIT, { ...lookAt(supervised, bootId), warn });
  return { supervised, monitored, ...(init && { init: withLastEnd(init, supervised) }) };
}

/** Whether the monitor lives that its record names. */
export function isMonitored({ monitor }: Pick<Supervised, "monitor">, bootId: string): boolean {
  return monitor.bootId === bootId && isAlive(monitor.pid, monitor.startTime);
}

/** By what processes of a container are looked at. */
export function lookAt(
  supervised: Pick<Supervised, "monitor">,
  bootId: string,
): Omit<Look, "warn"> {
  return { bootId, ...(isMonitored(supervised, bootId) && { monitor: supervised.monitor }) };
}

/** What looking at a process takes. */
interface Look {
  /** The monitor, if it lives: it knows nothing of the processes of one that there was before. */
  readonly monitor?: ProcessName;
  readonly bootId: string;
  readonly warn: Warn;
}

/** How one of its processes stands; undefined when there is none of this name. */
export function processStanding(
  directory: StateDirectory,
  name: string,
  { monitor, bootId, warn }: Look,
): ProcessStanding | undefined {
  const path = processDirectory(directory, name);
  const record = tolerantly(() => readProcessRecord(path), warn);
  if (record === undefined || record === DAMAGED) return undefined;
  const monitored = monitor !== undefined && isSame(monitor, record.monitor);
  const alive = record.bootId === bootId && isAlive(record.pid, record.startTime);
  // A record of an end is written after the end: it is looked at after the process.
  const exit = tolerantly(() => readExitRecord(path), warn);
  if (alive) return { status: "running", record, orphaned: !monitored };
  if (exit === DAMAGED) return { status: "lost", record, orphaned: false };
  if (exit?.pid === record.pid) return { status: "ended", record, exit, orphaned: false };
  // Between its end and the record of it there is a moment.
  if (monitored && record.bootId === bootId) return { status: "running", record, orphaned: false };
  return { status: "lost", record, orphaned: false };
}

/** While a container is started anew, the file of its last end is gone already. */
function withLastEnd(init: ProcessStanding, { lastEnd }: Supervised): ProcessStanding {
  const { record } = init;
  if (init.status === "ended" || record === undefined || lastEnd === undefined) return init;
  if (!isSame(lastEnd, record)) return init;
  const { exit } = lastEnd;
  return exit === undefined
    ? { status: "lost", record, orphaned: false }
    : { status: "ended", record, exit, orphaned: false };
}

/** Whether two names are of one process. */
export function isSame(one: ProcessName, other: ProcessName): boolean {
  return one.pid === other.pid && one.startTime === other.startTime;
}

const DAMAGED = "damaged";

function tolerantly<T>(read: () => T, warn: Warn): T | typeof DAMAGED {
  try {
    return read();
  } catch (error) {
    warn(reason(error));
    return DAMAGED;
  }
}

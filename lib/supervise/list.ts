/** `list` and `inspect`, with what monitors know. */

import { reason } from "../base/errors.ts";
import type { ContainerName } from "../caller/options.ts";
import { containers, type ListEntry } from "../container/list.ts";
import { type StateDocument, stateDocument } from "../container/state.ts";
import { isSupervised, processNames } from "../monitor/places.ts";
import {
  lookAt,
  processStanding,
  type ProcessStatus,
  type Standing,
  standingOf,
} from "../monitor/standing.ts";
import { inCommand } from "../runtime/command.ts";
import { bootId } from "../runtime/host.ts";
import { type Runtime, runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { type ExitRecord, INIT } from "../state/process_record.ts";
import type { LogSettings } from "../state/supervised.ts";
import { createLimit } from "./options.ts";
import { formatRestart } from "./restart_rule.ts";

/** What a monitor knows of its container. */
export interface Supervision {
  /** `running`; `ended`, when there is nothing left for it to do; `lost`, while the container goes on. */
  readonly monitor: "running" | "ended" | "lost";
  /** Those that it was made with. */
  readonly labels: Readonly<Record<string, string>>;
  /** How often it was started anew. */
  readonly restarts: number;
  /** How it ended, where it has and that is known: as a shell has it. */
  readonly exitCode?: number;
  /** It has ended, and nobody knows how. */
  readonly lost?: true;
  /** When it is going to be started anew: RFC 3339, UTC. */
  readonly nextStart?: string;
}

/** A row of `list`; of a container without a monitor, what that would know is missing. */
export interface SupervisedEntry extends ListEntry {
  /** Of a supervised one. */
  readonly supervision?: Supervision;
}

/**
 * The containers of a root, by id, each as it is when it is asked for. A root that is not there has none.
 */
export async function* listSupervised(
  given: RuntimeOrSettings = {},
): AsyncGenerator<SupervisedEntry> {
  const runtime = runtimeOf(given);
  for await (const entry of containers(runtime)) yield withSupervision(runtime, entry);
}

function withSupervision(runtime: Runtime, entry: ListEntry): SupervisedEntry {
  if (entry.error !== undefined) return entry;
  const directory = new StateDirectory(runtime, entry.id);
  try {
    if (!isSupervised(directory)) return entry;
    const standing = standingOf(directory, runtime.host.get(bootId), runtime.warn);
    return standing === undefined ? entry : { ...entry, supervision: supervisionOf(standing) };
  } catch (error) {
    return { ...entry, error: reason(error) };
  }
}

function supervisionOf({ supervised, monitored, init }: Standing): Supervision {
  const { labels, restarts, nextStart } = supervised;
  return {
    monitor: monitored ? "running" : init?.orphaned ? "lost" : "ended",
    labels,
    restarts,
    ...(init?.exit && { exitCode: init.exit.code }),
    ...(init?.status === "lost" && { lost: true }),
    ...(nextStart !== undefined && { nextStart }),
  };
}

/** A process of a supervised container. */
export interface InspectedProcess {
  /** `init`, or the id of an exec. */
  readonly name: string;
  /** As the host sees it; 0 when it has ended. */
  readonly pid: number;
  /** Whether it runs, and whether it is known how it ended. */
  readonly status: ProcessStatus;
  /** What is executed. */
  readonly args: readonly string[];
  /** When it was made: RFC 3339, UTC. */
  readonly created: string;
  /** How it ended. */
  readonly exit?: ExitRecord;
}

/** All that is known of a supervised container. */
export interface Inspected extends StateDocument {
  /** What its monitor goes by. */
  readonly supervision: Supervision & {
    /** Process id of the monitor; 0 when it has ended. */
    readonly monitorPid: number;
    readonly restart: string;
    readonly stoppedByHand: boolean;
    /** In ms. */
    readonly stopTimeout: number;
    /** Of its making, each time, in ms; 0: any. */
    readonly createTimeout: number;
    readonly log: LogSettings;
    readonly interactive: boolean;
    readonly persist?: string;
    /** When its program was last started: RFC 3339, UTC. */
    readonly started?: string;
    /** Why it could not be started anew, when that was tried last. */
    readonly failure?: string;
  };
  /** Init first. */
  readonly processes: readonly InspectedProcess[];
}

/** Looks at one; of a container without a monitor it is the state alone. */
export function inspectContainer(
  given: RuntimeOrSettings,
  options: ContainerName,
): Promise<Inspected | StateDocument> {
  return inCommand(given, "inspect", options.id, (runtime) => {
    const directory = new StateDirectory(runtime, options.id);
    const document = stateDocument(directory, inspect(directory));
    const standing = standingOf(directory, runtime.host.get(bootId), runtime.warn);
    if (standing === undefined) return document;
    return {
      ...document,
      supervision: { ...supervisionOf(standing), ...settingsOf(standing) },
      processes: processesOf(runtime, directory, standing),
    };
  });
}

function settingsOf({ supervised, monitored }: Standing) {
  const { restart, stoppedByHand, stopTimeout, log, interactive, persist } = supervised;
  const { started, failure } = supervised;
  return {
    monitorPid: monitored ? supervised.monitor.pid : 0,
    restart: formatRestart(restart),
    ...{ stoppedByHand, stopTimeout, createTimeout: createLimit(supervised.create) },
    ...{ log, interactive },
    ...(persist !== undefined && { persist }),
    ...(started !== undefined && { started }),
    ...(failure !== undefined && { failure }),
  };
}

function processesOf(
  runtime: Runtime,
  directory: StateDirectory,
  { supervised, init }: Standing,
): InspectedProcess[] {
  const look = { ...lookAt(supervised, runtime.host.get(bootId)), warn: runtime.warn };
  return namesIn(directory).flatMap((name) => {
    const standing = name === INIT ? init : processStanding(directory, name, look);
    const { record, status, exit } = standing ?? {};
    if (record === undefined || status === undefined) return [];
    const pid = status === "running" ? record.pid : 0;
    const args = record.spec?.args ?? [];
    return [{ name, pid, status, args, created: record.created, ...(exit && { exit }) }];
  });
}

/** Init first, the others by name. */
function namesIn(directory: StateDirectory): string[] {
  const names = processNames(directory);
  if (names.length === 0) return [];
  return [INIT, ...names.filter((name) => name !== INIT).sort()];
}

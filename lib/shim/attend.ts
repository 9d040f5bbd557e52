/** The monitor of a pod as the parent of what a task starts. */

import { MonitorBody } from "../body/monitor.ts";
import type { ShimMonitor } from "../body/shim_monitor.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import type { Attendant, Made } from "../container/creation_parts.ts";
import type { ExecAttendant } from "../container/exec.ts";
import { makeProcessDirectory, watchProcess } from "../monitor/process.ts";
import { type LoadedRuntime, withSettings } from "../runtime/runtime.ts";
import type { Process } from "../spec/types/config.ts";
import type { StateDirectory } from "../state/directory.ts";
import { INIT, type ProcessName } from "../state/process_record.ts";
import type { LogSettings } from "../state/supervised.ts";
import type { OpenStreams } from "./stdio.ts";

const NO_LOG: LogSettings = { driver: "none", path: "", maxSize: 0, maxFiles: 1 };
/** In front of the id of an exec, whose name is never that of init then. */
const EXEC = "exec-";
const UMASK = 0o022;

/** Name of a process among those of its container. */
export function processName(execId: string): string {
  return execId === "" ? INIT : EXEC + execId;
}

/** What the monitor, which has several containers, calls a process: ids have no colon. */
export function monitorName(id: string, execId: string): string {
  return execId === "" ? id : `${id}:${execId}`;
}

/** The ids that a monitor's name of a process is made of. */
export function idsOf(name: string): { id: string; execId: string } {
  const [id = "", execId = ""] = name.split(":");
  return { id, execId };
}

/** A process that is about to be started by the monitor. */
interface Wanted {
  readonly id: string;
  readonly execId: string;
  readonly monitor: ShimMonitor;
  /** Its pid and start time. */
  readonly monitorProcess: ProcessName;
  readonly streams: OpenStreams;
}

/** A runtime whose body is the monitor, for this process. */
export function monitored(runtime: LoadedRuntime, wanted: Wanted): LoadedRuntime {
  const { id, execId, monitor, streams } = wanted;
  const process = {
    name: monitorName(id, execId),
    streams: streams.stdio === undefined ? "terminal" : "output",
    umask: UMASK,
  } as const;
  return withSettings(runtime, { body: new MonitorBody(runtime.body, monitor, process) });
}

async function watch(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  process: ProcessName,
  cgroup: CgroupRecord,
  { id, execId, monitor, monitorProcess, streams }: Wanted,
  spec: Process | undefined,
  goesOn?: true,
): Promise<void> {
  const name = monitorName(id, execId);
  const forwarded = monitor.forward(name, streams.forwards); // which the monitor does first
  const watched = watchProcess(runtime, monitor, directory, process, {
    name: processName(execId),
    monitorName: name,
    spec,
    log: NO_LOG,
    cgroup,
    monitor: monitorProcess,
    ...(goesOn && { goesOn }),
  });
  await Promise.all([forwarded, watched]);
}

/** Takes part in the making of a container. */
export class TaskAttendant implements Attendant {
  readonly unprepared = true;
  readonly #wanted: Wanted;
  readonly console: number | undefined;
  #ready: ((init: ProcessName) => Promise<void>) | undefined;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.console = wanted.streams.stdio === undefined ? -1 : undefined;
  }

  // deno-lint-ignore require-await
  async prepare(
    runtime: LoadedRuntime,
    { directory, bundle, cgroup }: Made,
  ): Promise<LoadedRuntime> {
    makeProcessDirectory(runtime, directory, INIT);
    const own = monitored(runtime, this.#wanted);
    const { process } = bundle.spec;
    this.#ready = (init) => watch(own, directory, init, cgroup.record, this.#wanted, process);
    return own;
  }

  async ready(init: ProcessName): Promise<void> {
    await this.#ready?.(init);
  }
}

/** Takes part in the starting of one more process. */
export class TaskExecAttendant implements ExecAttendant {
  readonly #runtime: LoadedRuntime;
  readonly #directory: StateDirectory;
  readonly #cgroup: CgroupRecord;
  readonly #wanted: Wanted;
  readonly #spec: Process;
  readonly console: number | undefined;
  /** Resolves once the monitor watches it; the program may have ended by then. */
  watched: Promise<void> = Promise.resolve();

  constructor(
    runtime: LoadedRuntime,
    directory: StateDirectory,
    cgroup: CgroupRecord,
    wanted: Wanted,
    spec: Process,
  ) {
    this.#runtime = runtime;
    this.#directory = directory;
    this.#cgroup = cgroup;
    this.#wanted = wanted;
    this.#spec = spec;
    this.console = wanted.streams.stdio === undefined ? -1 : undefined;
  }

  begin(): void {
    makeProcessDirectory(this.#runtime, this.#directory, processName(this.#wanted.execId));
  }

  /** The monitor hears of it before anything that comes later: nobody waits for what it says to that. */
  // deno-lint-ignore require-await
  async take(process: ProcessName): Promise<void> {
    const [runtime, directory, cgroup] = [this.#runtime, this.#directory, this.#cgroup];
    this.watched = watch(runtime, directory, process, cgroup, this.#wanted, this.#spec, true);
    this.watched.catch(() => {}); // heard of once the program runs
  }
}

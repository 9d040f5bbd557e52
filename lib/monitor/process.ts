/** A process of a supervised container: its directory, and the monitor that watches it. */

import { numberOf, quote, RuntsError } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { O_DIRECTORY, O_PATH, O_RDONLY } from "../base/linux.ts";
import type { LogTarget, Monitor } from "../body/monitor_client.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { Process } from "../spec/types/config.ts";
import type { StateDirectory } from "../state/directory.ts";
import {
  type ExitRecord,
  type ProcessName,
  readProcessRecord,
  writeExitRecord,
  writeProcessRecord,
} from "../state/process_record.ts";
import type { LogSettings } from "../state/supervised.ts";
import { processDirectory } from "./places.ts";

/** What is watched. */
interface Watched {
  readonly name: string;
  /** What the monitor calls it, where that is something else. */
  readonly monitorName?: string;
  readonly spec: Process | undefined;
  readonly log: LogSettings;
  /** That of the container, to learn of a lack of memory. */
  readonly cgroup: CgroupRecord;
  readonly monitor: ProcessName;
  /** It goes on before the monitor has said that it is watched: it is written down at once. */
  readonly goesOn?: true;
}

/**
 * Makes the directory of a process that is going to be, with its fifos. Of one of the same name that was
 * before, process.json stays until there is a new one.
 */
export function makeProcessDirectory(
  { helper }: LoadedRuntime,
  directory: StateDirectory,
  name: string,
): void {
  const path = processDirectory(directory, name);
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const file of ["exit.json", "exit", "control"]) removeQuietly(`${path}/${file}`);
  helper.makeFifo(`${path}/exit`, 0o600);
  helper.makeFifo(`${path}/control`, 0o600);
}

/** There is no new process: how the one that was before has ended is there again. */
export function restoreProcess(
  directory: StateDirectory,
  name: string,
  exit: ExitRecord | undefined,
): void {
  const path = processDirectory(directory, name);
  if (exit === undefined || readProcessRecord(path)?.pid !== exit.pid) return;
  writeExitRecord(path, exit);
  for (const file of ["exit", "control"]) removeQuietly(`${path}/${file}`);
}

/** Forgets a process. */
export function removeProcessDirectory(directory: StateDirectory, name: string): void {
  try {
    Deno.removeSync(processDirectory(directory, name), { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** From now on the monitor notes how the process ends; then the process is written down. */
export async function watchProcess(
  runtime: LoadedRuntime,
  monitor: Monitor,
  directory: StateDirectory,
  process: ProcessName,
  watched: Watched,
): Promise<void> {
  const { helper } = runtime;
  const path = processDirectory(directory, watched.name);
  const { pid, startTime } = watched.monitor;
  const write = () =>
    writeProcessRecord(path, {
      ...process,
      bootId: runtime.host.get(bootId),
      created: new Date().toISOString(),
      spec: watched.spec,
      monitor: { pid, startTime },
    });
  const folder = helper.open(path, O_PATH | O_DIRECTORY);
  const oom = openOomFile(runtime, watched.cgroup);
  try {
    const answer = monitor.watch({
      name: watched.monitorName ?? watched.name,
      pid: process.pid,
      log: logTarget(watched.log, directory.id),
      directory: folder,
      ...(oom !== undefined && { oom }),
    });
    if (watched.goesOn) write();
    await answer;
  } catch (cause) {
    const { driver, path } = watched.log;
    if (driver === "none") throw cause;
    throw new RuntsError(`watch process ${process.pid} with log ${quote(path)}`, numberOf(cause));
  } finally {
    helper.close(folder);
    if (oom !== undefined) helper.close(oom);
  }
  if (!watched.goesOn) write();
}

function logTarget(log: LogSettings, id: string): LogTarget {
  const { driver, path, maxSize, maxFiles } = log;
  if (driver === "none") return { driver };
  const fields = [`CONTAINER_ID=${id}`, `CONTAINER_NAME=${id}`];
  const name = driver === "json-file" ? "json" : driver;
  return { driver: name, path, maxSize, maxFiles, ...(name === "journald" && { fields }) };
}

/** A file with a line `oom_kill N`; undefined where there is none. */
function openOomFile({ helper }: LoadedRuntime, { paths }: CgroupRecord): number | undefined {
  const { memory, "": unified } = paths;
  const file = memory === undefined ? `${unified}/memory.events` : `${memory}/memory.oom_control`;
  try {
    return helper.open(file, O_RDONLY);
  } catch {
    return undefined; // without the memory controller
  }
}

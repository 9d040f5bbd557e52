/** Starting a container anew after its end: the same configuration and state directory, a new init. */

import { delay } from "../base/delay.ts";
import { quote, reason } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { Undo } from "../base/undo.ts";
import { openBundle } from "../caller/bundle.ts";
import type { CreateOptions } from "../caller/options.ts";
import { writePidFile } from "../caller/pid_file.ts";
import type { CgroupRequest } from "../cgroup/manager.ts";
import { Creation } from "../container/creation.ts";
import { clear, runPoststop } from "../container/delete.ts";
import { openInit } from "../container/kill.ts";
import { startLocked } from "../container/start.ts";
import { restoreProcess } from "../monitor/process.ts";
import { type LoadedRuntime, withSettings } from "../runtime/runtime.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import { cgroupOf } from "../state/cgroup.ts";
import { hasOwnPidNamespace } from "../state/config_copy.ts";
import type { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { withLockIfThere } from "../state/lock.ts";
import { INIT } from "../state/process_record.ts";
import { readSupervised, type Supervised, writeSupervised } from "../state/supervised.ts";
import { PREPARED_FILE } from "../wire/prepared.ts";
import { MonitorAttendant } from "./attendant.ts";
import { limitOf } from "./create.ts";

/** What is left to be done of a start once the lock is released. */
export type Afterwards = () => Promise<void>;

/**
 * For a verb that holds the lock, of a container that has ended. When it fails, that is as it was.
 *
 * @param at the program starts at this time, in ms since 1970, or later
 */
export async function startAnew(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  at = 0,
): Promise<Afterwards> {
  const supervised = readSupervised(directory.path)!;
  const own = asCreated(runtime, supervised);
  const found = inspect(directory);
  await runPoststop(own, directory, found, await clear(own, directory, found, true));
  const { monitor, ...settings } = supervised;
  const { id } = directory;
  const { bundle: path, ...others } = supervised.create;
  // The bundle may have been given another configuration since.
  using limit = limitOf(supervised);
  const { signal } = limit;
  const options: CreateOptions = {
    id,
    ...(signal && { signal }),
    bundle: path,
    config: directory.file("config.json"),
    ...(others.noPivot && { noPivot: true }),
    ...(others.noNewKeyring && { noNewKeyring: true }),
  };
  const bundle = await openBundle(own, options);
  using attendant = new Successor(settings, bundle.spec, monitor, directory, found);
  const undo = new Undo();
  const creation = new Creation(own, options, bundle, directory, undo);
  try {
    const init = await creation.run(attendant);
    tellPid(own, others.pidFile, init.pid);
    await delay(Math.max(0, at - Date.now()));
    const hookFailed = (error: unknown) => endOne(own, directory, init.pid, reason(error));
    const started = await startLocked(own, directory, { child: init.pidfd, hookFailed });
    own.helper.close(init.pidfd);
    return async () => {
      await started.poststart();
      await started.ready();
    };
  } catch (error) {
    await undo.run((also) => runtime.warn(`clean up ${quote(id)}: ${reason(also)}`));
    attendant.restore();
    throw error;
  }
}

/** A start that fails after its program was executed is a failure of the container. */
function endOne(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  pid: number,
  failure: string,
): Promise<void> {
  return withLockIfThere(runtime, directory, async () => {
    const found = inspect(directory);
    if (found.status.pid !== pid || found.state === "stopped") return;
    writeSupervised(directory.path, { ...readSupervised(directory.path)!, failure });
    const pidfd = openInit(runtime, found.status);
    runtime.helper.sendSignal(pidfd, SIGKILL);
    runtime.helper.close(pidfd);
    if (!hasOwnPidNamespace(directory)) await (await cgroupOf(runtime, found.status)).killAll();
  });
}

/** What goes wrong with the file does not keep the container from being started. */
function tellPid(runtime: LoadedRuntime, file: string | undefined, pid: number): void {
  try {
    if (file !== undefined) writePidFile(runtime, file, pid);
  } catch (error) {
    runtime.warn(reason(error));
  }
}

/** A runtime that makes cgroups as it was done when the container was created. */
function asCreated(runtime: LoadedRuntime, { create }: Supervised): LoadedRuntime {
  const { cgroupManager, rootless } = create;
  return withSettings(runtime, {
    ...(cgroupManager && { cgroupManager }),
    ...(rootless && { rootless: rootless === "auto" ? rootless : rootless === "true" }),
  });
}

/** Files of the state directory that belong to one life of a container. */
const OF_ONE_LIFE = [PREPARED_FILE, "status", "exec.fifo", "result.fifo"];

/** Removes what belongs to a life that is over. */
export function forgetLife(directory: StateDirectory): void {
  for (const name of OF_ONE_LIFE) removeQuietly(directory.file(name));
}

/** There is to be no other life: the container has ended, as it was found. */
export function restoreLife(directory: StateDirectory, { status }: Inspection): void {
  for (const name of ["creating", "preparing"]) removeQuietly(directory.file(name));
  directory.writeStatus({ ...status, pid: 0, startTime: 0 });
}

/** The monitor of a container in its next life. */
class Successor extends MonitorAttendant {
  readonly #directory: StateDirectory;
  readonly #found: Inspection;

  constructor(
    settings: ConstructorParameters<typeof MonitorAttendant>[0],
    spec: ConstructorParameters<typeof MonitorAttendant>[1],
    monitor: Supervised["monitor"],
    directory: StateDirectory,
    found: Inspection,
  ) {
    super(settings, spec, monitor);
    this.#directory = directory;
    this.#found = found;
  }

  /** Where it was: whoever starts it anew is in another place than whoever has made it. */
  override cgroup(runtime: LoadedRuntime, request: CgroupRequest): CgroupRequest {
    const { kind, paths = {} } = this.#found.status.cgroup ?? {};
    if (kind === "v1" || kind === "v2") return { ...request, paths };
    return super.cgroup(runtime, request);
  }

  /** From now on who is killed here leaves a container that was not made to its end. */
  intended(): void {
    forgetLife(this.#directory);
  }

  /** The container has ended once more. */
  restore(): void {
    restoreProcess(this.#directory, INIT, readSupervised(this.#directory.path)?.lastEnd?.exit);
    restoreLife(this.#directory, this.#found);
  }
}

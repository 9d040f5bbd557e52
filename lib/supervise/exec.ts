/** `exec --supervised`: one more process in a container, whose end its monitor notes. */

import { errnoOf, RuntsError } from "../base/errors.ts";
import { MonitorBody } from "../body/monitor.ts";
import type { Monitor } from "../body/monitor_client.ts";
import { execProcess } from "../caller/exec_process.ts";
import type { ExecOptions } from "../caller/options.ts";
import { type ExecAttendant, refuseExec, spawnIn } from "../container/exec.ts";
import { connectMonitor } from "../monitor/connect.ts";
import { removeProcessDirectory, watchProcess } from "../monitor/process.ts";
import type { Attachment } from "../body/attachment.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import { type LoadedRuntime, type RuntimeOrSettings, withSettings } from "../runtime/runtime.ts";
import type { Process } from "../spec/types/config.ts";
import { cgroupOf } from "../state/cgroup.ts";
import { readCopy } from "../state/config_copy.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { EEXIST, EOPNOTSUPP } from "../base/errno.ts";
import type { ProcessName } from "../state/process_record.ts";
import type { LogSettings } from "../state/supervised.ts";
import { refuseMixed } from "./create.ts";
import { makePlace, taken, takeName } from "./exec_place.ts";
import { supervisedOf } from "./wait.ts";

/** What is run, and under which name. */
export interface SupervisedExecOptions extends ExecOptions {
  /** Its name among the processes of the container; default `exec-N`. One that has ended gives it up. */
  readonly name?: string;
  /** Whether its input stays open for whoever attaches. */
  readonly interactive?: boolean;
  /** Whether the caller is attached from the beginning. */
  readonly attach?: boolean;
}

/** A process that was started. */
export interface SupervisedExec {
  /** Its name among the processes of the container. */
  readonly name: string;
  /** As the host sees it. */
  readonly pid: number;
  /** With `attach`; the caller disposes of them. */
  readonly streams?: Attachment;
}

const NO_LOG: LogSettings = { driver: "none", path: "", maxSize: 0, maxFiles: 1 };

/** Starts the process; its program has been executed when this returns. */
export function execSupervised(
  given: RuntimeOrSettings,
  options: SupervisedExecOptions,
): Promise<SupervisedExec> {
  return inCommand(given, "exec", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    supervisedOf(directory);
    const found = inspect(directory);
    refuseExec(unloaded, found, options);
    if (options.consoleSocket !== undefined) {
      throw new RuntsError("a console socket cannot be given to a supervised process", {
        hint: "its monitor has the terminal: use attach",
      });
    }
    refuseMixed(options);
    const spec = readCopy(directory);
    const process = await execProcess(unloaded, spec, options);
    const runtime = await load(unloaded);
    using monitor = await connectMonitor(runtime, directory);
    if (monitor === undefined) throw new RuntsError("its monitor has ended");
    const name = await takeName(runtime, directory, options.name);
    const wanted = { name, monitor, process, options };
    using attendant = new ExecMonitor(runtime, directory, found, wanted);
    try {
      const own = withSettings(runtime, {
        body: new MonitorBody(runtime.body, monitor, attendant.process),
      });
      const request = { runtime: own, options, found, spec, process, attendant };
      const { pid, pidfd } = await spawnIn(request);
      runtime.helper.close(pidfd);
      const streams = attendant.release();
      return { name, pid, ...(streams && { streams }) };
    } catch (error) {
      // The monitor knows who has a name.
      if (errnoOf(error) === EEXIST) throw taken(name);
      removeProcessDirectory(directory, name);
      throw error;
    }
  }, options.signal);
}

/** A monitor of an older build keeps it once the container has ended. */
async function onEnd(monitor: Monitor, name: string): Promise<void> {
  await monitor.onEnd(name).catch((error) => {
    if (errnoOf(error) !== EOPNOTSUPP) throw error;
  });
}

/** What is known of the process that is to be. */
interface Wanted {
  readonly name: string;
  readonly monitor: Monitor;
  readonly process: Process;
  readonly options: SupervisedExecOptions;
}

/** The monitor takes part in the starting of the process. */
class ExecMonitor implements ExecAttendant, Disposable {
  readonly #runtime: LoadedRuntime;
  readonly #directory: StateDirectory;
  readonly #found: Inspection;
  readonly #wanted: Wanted;
  #streams: Attachment | undefined;

  constructor(
    runtime: LoadedRuntime,
    directory: StateDirectory,
    found: Inspection,
    wanted: Wanted,
  ) {
    this.#runtime = runtime;
    this.#directory = directory;
    this.#found = found;
    this.#wanted = wanted;
  }

  get console(): number | undefined {
    return this.#wanted.process.terminal ? -1 : undefined;
  }

  get process(): ConstructorParameters<typeof MonitorBody>[2] {
    const { name, process, options: { interactive } } = this.#wanted;
    const output = interactive ? "input and output" : "output";
    const { umask } = this.#runtime.caller;
    return { name, streams: process.terminal ? "terminal" : output, umask };
  }

  /** Before its program runs, whoever wants all of its output is attached, and its end is watched for. */
  async take(process: ProcessName): Promise<void> {
    const { name, monitor, options } = this.#wanted;
    const { persist, monitor: record } = supervisedOf(this.#directory);
    await makePlace(this.#runtime, this.#directory, name);
    if (persist !== undefined) await onEnd(monitor, name);
    if (options.attach) {
      this.#streams = await monitor.attach(name, { stdin: true, replay: false });
    }
    const cgroup = await cgroupOf(this.#runtime, this.#found.status);
    await watchProcess(this.#runtime, monitor, this.#directory, process, {
      name,
      spec: this.#wanted.process,
      log: NO_LOG,
      cgroup: cgroup.record,
      monitor: record,
    });
  }

  /** Gives the streams away. */
  release(): Attachment | undefined {
    const streams = this.#streams;
    this.#streams = undefined;
    return streams;
  }

  [Symbol.dispose](): void {
    this.#streams?.[Symbol.dispose]();
  }
}

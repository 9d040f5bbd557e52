/** `attach`: the streams of a process that a monitor holds, and what else can be done to it. */

import { RuntsError } from "../base/errors.ts";
import type { ContainerName } from "../caller/options.ts";
import type { Monitor } from "../body/monitor_client.ts";
import { connectMonitor } from "../monitor/connect.ts";
import { isSame } from "../monitor/standing.ts";
import type { Attachment } from "../body/attachment.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { INIT, type ProcessName } from "../state/process_record.ts";
import { standingNow, supervisedOf } from "./wait.ts";

/** One process of a supervised container. */
export interface ProcessOptions extends ContainerName {
  /** Id of an exec; by default it is the container's program. */
  readonly process?: string;
}

/** What of its streams is wanted. */
export interface AttachOptions extends ProcessOptions {
  /** Its input as well; default true. */
  readonly stdin?: boolean;
  /** Of a terminal, also what it has shown last; default true. */
  readonly replay?: boolean;
}

/** Joins the streams of a process; it does not matter to it. */
export function attach(
  given: RuntimeOrSettings,
  options: AttachOptions,
): Promise<Attachment> {
  const { stdin = true, replay = true } = options;
  return withProcess(
    given,
    "attach",
    options,
    (_, monitor, name) => monitor.attach(name, { stdin, replay }),
  );
}

/** Streams, and whose they are: a container that is started anew has another program then. */
interface Joined {
  readonly streams: Attachment;
  readonly of: ProcessName;
}

/** The same, for whoever wants to know how this very process ends. */
export function join(given: RuntimeOrSettings, options: AttachOptions): Promise<Joined> {
  const { stdin = true, replay = true } = options;
  return withProcess(given, "attach", options, async (runtime, monitor, name) => {
    const directory = new StateDirectory(runtime, options.id);
    for (;;) {
      const of = standingNow(runtime, directory, name).record!;
      const streams = await monitor.attach(name, { stdin, replay });
      if (isSame(standingNow(runtime, directory, name).record!, of)) return { streams, of };
      streams[Symbol.dispose]();
    }
  });
}

/** Gives the terminal of a process a size, in characters. */
export function resize(
  given: RuntimeOrSettings,
  options: ProcessOptions & { readonly columns: number; readonly rows: number },
): Promise<void> {
  const { columns, rows } = options;
  return withProcess(
    given,
    "resize",
    options,
    (_, monitor, name) => monitor.resize(name, columns, rows),
  );
}

/** The process finds the end of its input. */
export function closeStdin(given: RuntimeOrSettings, options: ProcessOptions): Promise<void> {
  return withProcess(given, "close-stdin", options, (_, monitor, name) => monitor.closeStdin(name));
}

/** The files of the log are opened anew: somebody has renamed them. */
export function reopenLog(given: RuntimeOrSettings, options: ContainerName): Promise<void> {
  return withProcess(given, "reopen-log", options, (_, monitor) => monitor.reopenLog(INIT));
}

function withProcess<T>(
  given: RuntimeOrSettings,
  verb: string,
  options: ProcessOptions,
  ask: (runtime: LoadedRuntime, monitor: Monitor, name: string) => Promise<T>,
): Promise<T> {
  return inCommand(given, verb, options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    supervisedOf(directory);
    const { process: name = INIT } = options;
    const { status } = standingNow(unloaded, directory, name);
    if (status !== "running") throw new RuntsError("it has ended");
    const runtime = await load(unloaded);
    using monitor = await connectMonitor(runtime, directory);
    if (monitor === undefined) throw new RuntsError("its monitor has ended");
    return await ask(runtime, monitor, name);
  });
}

/** `create` and `run --detach` of a container that a monitor looks after. */

import { absoluteBytes } from "../base/absolute.ts";
import { RuntsError } from "../base/errors.ts";
import { TimeLimit } from "../base/time_limit.ts";
import { openBundle } from "../caller/bundle.ts";
import type { CreateOptions, StreamTargets } from "../caller/options.ts";
import { type Created, createLocked } from "../container/create.ts";
import type { Attendant } from "../container/creation_parts.ts";
import { startLocked } from "../container/start.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { checkPersist } from "../monitor/persist.ts";
import { MonitorAttendant, type Unmonitored } from "./attendant.ts";
import { chosen, createLimit, type SupervisionOptions } from "./options.ts";

/** What a supervised container is made with. */
export interface SupervisedOptions extends CreateOptions {
  /** How it is looked after. */
  readonly supervised: SupervisionOptions;
}

/** Makes a container whose init is a child of a monitor. When it fails, the host is as it was. */
export function createSupervised(
  given: RuntimeOrSettings,
  options: SupervisedOptions,
): Promise<void> {
  return inCommand(
    given,
    "create",
    options.id,
    (unloaded) =>
      make(unloaded, options, (runtime, created) => {
        runtime.helper.close(created.pidfd);
        return Promise.resolve();
      }),
    options.signal,
  );
}

/** The same, and starts it. */
export function runSupervised(
  given: RuntimeOrSettings,
  options: SupervisedOptions,
): Promise<void> {
  return inCommand(given, "run", options.id, async (unloaded) => {
    const started = await make(unloaded, options, async (runtime, created) => {
      const started = await startLocked(runtime, created.directory, { child: created.pidfd });
      runtime.helper.close(created.pidfd);
      return started;
    });
    await started.poststart();
    await started.ready();
  }, options.signal);
}

/**
 * Makes one, and goes on with `then` while its lock is held.
 *
 * @param by who makes its first process beside the monitor
 */
export async function make<T>(
  unloaded: Runtime,
  options: SupervisedOptions,
  then: (runtime: LoadedRuntime, created: Created) => Promise<T>,
  by: (monitor: Attendant) => Attendant = (monitor) => monitor,
): Promise<T> {
  if (options.consoleSocket !== undefined) {
    throw new RuntsError("a console socket cannot be given to a supervised container", {
      hint: "its monitor has the terminal: use attach",
    });
  }
  refuseMixed(options);
  const bundle = await openBundle(unloaded, options);
  const settings = settingsOf(unloaded, bundle.path, options);
  if (settings.persist !== undefined) checkPersist(settings.persist);
  using limit = limitOf(settings, options.signal);
  const { signal } = limit;
  const within = { ...options, ...(signal && { signal }) };
  const runtime = await load(unloaded);
  using attendant = new MonitorAttendant(settings, bundle.spec);
  return await createLocked(runtime, within, bundle, by(attendant), async (created) => {
    await attendant.tellCreated(runtime, options.id, created.pid);
    return await then(runtime, created);
  });
}

/** What its making may take, of a record of whatever build. */
export function limitOf(
  { create }: Pick<Unmonitored, "create">,
  signal?: AbortSignal,
): TimeLimit {
  return new TimeLimit("it is not made", createLimit(create), signal);
}

/** Its monitor has all of its streams, unless they lead elsewhere, all of them. */
export function refuseMixed({ stdin, stdout, stderr }: StreamTargets): void {
  const kinds = [stdin, stdout, stderr].map((one = "inherit") =>
    typeof one === "number" ? "number" : one
  );
  const [kind = ""] = kinds;
  if (["inherit", "null", "number"].includes(kind) && kinds.every((one) => one === kind)) return;
  throw new RuntsError(
    "the streams of a supervised process are all null, or all given, or its monitor's",
    {
      hint: "use logs and attach",
    },
  );
}

/** What is recorded of it. */
function settingsOf(runtime: Runtime, bundle: string, options: SupervisedOptions): Unmonitored {
  const { noPivot, noNewKeyring, pidFile } = options;
  const { cgroupManager, rootless } = runtime;
  const directory = new StateDirectory(runtime, options.id);
  return {
    ...chosen(runtime.caller, directory, options.supervised),
    create: {
      bundle,
      rootless: String(rootless) as "true" | "false",
      createTimeout: createLimit(options.supervised),
      umask: runtime.caller.umask,
      ...(pidFile !== undefined && { pidFile: absoluteBytes(runtime.caller, pidFile) }),
      ...(noPivot && { noPivot }),
      ...(noNewKeyring && { noNewKeyring }),
      ...(cgroupManager && { cgroupManager }),
    },
    restarts: 0,
    lastDelay: 0,
    stoppedByHand: false,
  };
}

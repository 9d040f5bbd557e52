/** From a plan to a container that runs, for the first time or anew. */

import { isRuntsError, quote, reason } from "../../base/errors.ts";
import { Undo } from "../../base/undo.ts";
import type { Child } from "../../body/body.ts";
import type { CreateOptions } from "../../caller/options.ts";
import { createLocked } from "../../container/create.ts";
import { Creation } from "../../container/creation.ts";
import { startLocked } from "../../container/start.ts";
import { type LoadedRuntime, withSettings } from "../../runtime/runtime.ts";
import { formatJson } from "../../spec/json/json.ts";
import type { StateDirectory } from "../../state/directory.ts";
import { inspect } from "../../state/inspect.ts";
import { readSupervised } from "../../state/supervised.ts";
import { restoreLife } from "../../supervise/anew.ts";
import { inItsLine } from "../plan/draft.ts";
import type { SystemPlan } from "../plan/types.ts";
import { SystemAttendant } from "./attendant.ts";
import { tellState } from "./events.ts";
import { runStage } from "./hooks.ts";

/**
 * Makes a container, in a state directory of its own. Errors name the line of the configuration.
 *
 * @param waits is called when init waits to be let go
 */
export function createSystem(
  given: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
  waits: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  return inTheirLines(plan, async () => {
    const { options, bundle } = requestOf(directory, plan);
    const runtime = asPlanned(given, plan);
    using attendant = new SystemAttendant(runtime, directory, plan);
    await createLocked(runtime, options, bundle, attendant, async (created) => {
      await attendant.tellCreated(runtime, directory.id, created.pid);
      await waits();
      await begin(runtime, directory, plan, created, attendant);
    });
  });
}

/** Starts a container that has ended anew, by whoever holds its lock. When it fails, it has ended. */
export function makeSystem(
  given: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
): Promise<void> {
  return inTheirLines(plan, async () => {
    const { options, bundle } = requestOf(directory, plan);
    const runtime = asPlanned(given, plan);
    const found = inspect(directory);
    const { monitor } = readSupervised(directory.path)!;
    using attendant = new SystemAttendant(runtime, directory, plan, monitor);
    const undo = new Undo();
    try {
      const creation = new Creation(runtime, options, bundle, directory, undo);
      await begin(runtime, directory, plan, await creation.run(attendant), attendant);
    } catch (error) {
      await undo.run((also) => runtime.warn(`clean up ${quote(directory.id)}: ${reason(also)}`));
      restoreLife(directory, found);
      throw error;
    }
  });
}

/** With who makes the cgroups. */
export function asPlanned(
  runtime: LoadedRuntime,
  { beyond: { cgroup } }: SystemPlan,
): LoadedRuntime {
  return cgroup.scope ? withSettings(runtime, { cgroupManager: "systemd" }) : runtime;
}

export function requestOf(
  { id }: StateDirectory,
  { spec, directory: path, reaps, beyond }: SystemPlan,
): {
  readonly options: CreateOptions;
  readonly bundle: ConstructorParameters<typeof Creation>[2];
} {
  return {
    // Without a console, init has no streams.
    options: {
      id,
      ...(!beyond.security.keyring && { noNewKeyring: true }),
      ...(!spec.process?.terminal && !reaps && { stdin: "null", stdout: "null", stderr: "null" }),
    },
    bundle: { path, spec, text: formatJson(spec) },
  };
}

/** Lets init go, which waits. When that fails its end is the maker's, and so is the pidfd. */
async function begin(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
  { pid, pidfd }: Child,
  attendant: SystemAttendant,
): Promise<void> {
  await runStage(runtime, plan, "start-host", { pid });
  await (await startLocked(runtime, directory, { child: pidfd })).ready();
  await attendant.begun(pid);
  runtime.helper.close(pidfd);
  await tellState(runtime, directory.id, "RUNNING");
}

/** Errors about the plan name the line of the configuration. */
export async function inTheirLines<T>(plan: SystemPlan, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw isRuntsError(error) ? inItsLine(error, plan.origins) : error;
  }
}

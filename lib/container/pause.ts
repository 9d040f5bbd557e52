/** `pause` and `resume`: the freezer of the container's cgroup. */

import { load } from "../runtime/load.ts";
import type { Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { RuntsError } from "../base/errors.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { cgroupOf, whoPauses } from "../state/cgroup.ts";
import { inCommand } from "../runtime/command.ts";
import { withLock } from "../state/lock.ts";
import type { ChangeOptions } from "../caller/options.ts";

/** Freezes all processes of a running (or created) container. */
export function pause(given: RuntimeOrSettings, options: ChangeOptions): Promise<void> {
  const body = (runtime: Runtime) => change(runtime, options, "pause");
  return inCommand(given, "pause", options.id, body, options.signal);
}

/** Lets a paused container go on. */
export function resume(given: RuntimeOrSettings, options: ChangeOptions): Promise<void> {
  const body = (runtime: Runtime) => change(runtime, options, "resume");
  return inCommand(given, "resume", options.id, body, options.signal);
}

const ALLOWED = { pause: ["running", "created"], resume: ["paused"] };

async function change(
  runtime: Runtime,
  options: ChangeOptions,
  verb: "pause" | "resume",
): Promise<void> {
  const directory = new StateDirectory(runtime, options.id);
  const allowed = () => {
    const { state, status } = inspect(directory);
    if (ALLOWED[verb].includes(state)) return status;
    throw new RuntsError(
      verb === "pause"
        ? `container not running: it is ${state}`
        : `container not paused: it is ${state}`,
      whoPauses(runtime, state, status),
    );
  };
  allowed(); // at once, also where a hook of create asks, which holds the lock
  await withLock(await load(runtime), directory, async () => {
    const status = allowed();
    const cgroup = await cgroupOf(runtime, status);
    if (verb === "pause") return await cgroup.freeze();
    await cgroup.thaw();
    const other = whoPauses(runtime, "paused", status);
    if (other.cause) throw new RuntsError("let the container go on", other);
  }, options.signal);
}

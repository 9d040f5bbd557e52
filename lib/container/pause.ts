/** `pause` and `resume`: the freezer of the container's cgroup. */

import { loadHelper } from "../../ffi/helper.ts";
import { RuntsError } from "../base/errors.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { cgroupOf, whoPauses } from "../state/cgroup.ts";
import { inCommand } from "../base/command.ts";
import { withLock } from "../state/lock.ts";
import type { ChangeOptions, GlobalOptions } from "../caller/options.ts";

/** Freezes all processes of a running (or created) container. */
export function pause(global: GlobalOptions, options: ChangeOptions): Promise<void> {
  return inCommand("pause", options.id, () => change(global, options, "pause"), options.signal);
}

/** Lets a paused container go on. */
export function resume(global: GlobalOptions, options: ChangeOptions): Promise<void> {
  return inCommand("resume", options.id, () => change(global, options, "resume"), options.signal);
}

const ALLOWED = { pause: ["running", "created"], resume: ["paused"] };

async function change(
  global: GlobalOptions,
  options: ChangeOptions,
  verb: "pause" | "resume",
): Promise<void> {
  const directory = new StateDirectory(global.root, options.id);
  const allowed = () => {
    const { state, status } = inspect(directory);
    if (ALLOWED[verb].includes(state)) return status;
    throw new RuntsError(
      verb === "pause"
        ? `container not running: it is ${state}`
        : `container not paused: it is ${state}`,
      whoPauses(state, status),
    );
  };
  allowed(); // at once, also where a hook of create asks, which holds the lock
  const helper = await loadHelper();
  await withLock(helper, directory, async () => {
    const status = allowed();
    const cgroup = await cgroupOf(status);
    if (verb === "pause") return await cgroup.freeze();
    await cgroup.thaw();
    const other = whoPauses("paused", status);
    if (other.cause) throw new RuntsError("let the container go on", other);
  }, options.signal);
}

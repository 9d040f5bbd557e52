/** `update`: other limits for a container that exists. */

import { load } from "../runtime/load.ts";
import type { Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { reason, RuntsError } from "../base/errors.ts";
import { Undo } from "../base/undo.ts";
import { withPidsLimit } from "../spec/pids_limit.ts";
import { formatJson } from "../spec/json/json.ts";
import type { IntelRdt, Resources } from "../spec/types/config.ts";
import { validateResources } from "../spec/check/config.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { membersOf } from "../state/members.ts";
import type { Status } from "../state/status.ts";
import { cgroupOf } from "../state/cgroup.ts";
import { inCommand } from "../runtime/command.ts";
import { readCopy, readCopyIfAny } from "../state/config_copy.ts";
import { withLock } from "../state/lock.ts";
import type { ChangeOptions } from "../caller/options.ts";

/** What {@linkcode update} changes. */
export interface UpdateOptions extends ChangeOptions {
  /** What to change; what is absent, or 0, stays as it is, but for `pids.limit`. */
  readonly resources?: Resources;
  /** New schemata of the container's resctrl class, which is made where it has none. */
  readonly intelRdt?: Pick<IntelRdt, "l3CacheSchema" | "memBwSchema">;
}

/** Changes limits; a refused value leaves the others as they were. */
export function update(given: RuntimeOrSettings, options: UpdateOptions): Promise<void> {
  return inCommand(given, "update", options.id, async (runtime) => {
    const directory = new StateDirectory(runtime, options.id);
    const allowed = () => {
      const { state, status } = inspect(directory);
      if (state !== "stopped" && state !== "creating") return status;
      throw new RuntsError(`cannot update a container that is ${state}`);
    };
    allowed(); // at once, also where a hook of create asks, which holds the lock
    await withLock(await load(runtime), directory, async () => {
      const status = allowed();
      const { intelRdt } = options;
      checkTypes(options.resources ?? {});
      const resources = ofVersion(directory, options.resources ?? {});
      if (Object.keys(resources).length > 0) {
        await (await cgroupOf(runtime, status)).update(resources);
      }
      if (intelRdt !== undefined) await changeSchemata(runtime, directory, status, intelRdt);
    }, options.signal);
  }, options.signal);
}

/** The version of the container's configuration tells what a limit of 0 processes is. */
function ofVersion(directory: StateDirectory, resources: Resources): Resources {
  if (resources.pids === undefined) return resources;
  return withPidsLimit(resources, readCopyIfAny(directory)?.ociVersion);
}

/** What is out of range is refused by the kernel, with its reason. */
function checkTypes(resources: Resources): void {
  const wrong = validateResources(resources).find(({ rule }) => rule === "type");
  if (wrong) throw new RuntsError(wrong.message, { configPath: wrong.path });
}

async function changeSchemata(
  runtime: Runtime,
  directory: StateDirectory,
  status: Status,
  schemata: IntelRdt,
): Promise<void> {
  const copy = readCopy(directory);
  const own = copy.linux?.intelRdt;
  const { joinResctrl, resctrlRoot, updateResctrl } = await import("../host/intel_rdt.ts");
  const root = resctrlRoot(runtime.caller);
  const { id } = directory;
  if (own !== undefined) {
    return updateResctrl(id, { ...(own.closID && { closID: own.closID }), ...schemata }, root);
  }
  const members = await membersOf(runtime, status);
  const undo = new Undo();
  try {
    joinResctrl(id, members().flatMap(threadsOf), schemata, undo, root);
    // For delete, which removes the class.
    const linux = { ...copy.linux, intelRdt: schemata };
    directory.replace("config.json", formatJson({ ...copy, linux }));
  } catch (error) {
    await undo.run((also) => runtime.warn(reason(also)));
    throw error;
  }
}

/** None of a process that has ended. */
function threadsOf(pid: number): number[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => Number(name));
  } catch {
    return [];
  }
}

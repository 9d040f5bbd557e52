/** `update`: other limits for a container that exists. */

import { loadHelper } from "../../ffi/helper.ts";
import { quote, RuntsError } from "../errors.ts";
import type { Resources } from "../spec/types.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { cgroupOf } from "./cgroup.ts";
import { inCommand } from "./command.ts";
import { withLock } from "./lock.ts";
import type { ContainerName, GlobalOptions } from "./types.ts";

export interface UpdateOptions extends ContainerName {
  /** What to change; what is absent, or 0, stays as it is. */
  readonly resources: Resources;
}

/** Changes limits; a refused value leaves the others as they were. */
export function update(global: GlobalOptions, options: UpdateOptions): Promise<void> {
  return inCommand("update", options.id, async () => {
    const directory = new StateDirectory(global.root, options.id);
    inspect(directory);
    const helper = await loadHelper();
    await withLock(helper, directory, async () => {
      const { state, status } = inspect(directory);
      if (state === "stopped" || state === "creating") {
        throw new RuntsError(`cannot update a container that is ${state}`);
      }
      await (await cgroupOf(status)).update(options.resources);
    });
  });
}

/** Resource control of Intel processors (resctrl.rst of Linux): lines of its schemata. */
export interface Schemata {
  /** As `L3:0=f;1=3`. */
  readonly l3CacheSchema?: string;
  /** As `MB:0=20;1=70`. */
  readonly memBwSchema?: string;
}

/** Where the kernel keeps the groups of resctrl. */
const RESCTRL = "/sys/fs/resctrl";

/** Changes the cache and bandwidth of a container that has a resctrl group of its own. */
export function updateSchemata(
  global: GlobalOptions,
  options: ContainerName & Schemata,
): Promise<void> {
  return inCommand("update", options.id, () => {
    inspect(new StateDirectory(global.root, options.id));
    const file = `${RESCTRL}/${options.id}/schemata`;
    for (const schema of [options.l3CacheSchema, options.memBwSchema]) {
      if (schema === undefined) continue;
      try {
        Deno.writeTextFileSync(file, `${schema}\n`, { create: false });
      } catch (cause) {
        throw new RuntsError(`write ${quote(schema)} to ${quote(file)}`, { cause });
      }
    }
  });
}

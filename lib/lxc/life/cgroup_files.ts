/** Cgroup files of version 1 that the specification has no words for. */

import { quote, reason, RuntsError } from "../../base/errors.ts";
import type { CgroupRecord } from "../../cgroup/manager.ts";
import type { SystemPlan } from "../plan/types.ts";

/** Writes them, in their order. */
export function writeFiles({ beyond: { cgroup } }: SystemPlan, { paths }: CgroupRecord): void {
  for (const [index, { controller, file, value }] of cgroup.files.entries()) {
    const configPath = `beyond.cgroup.files[${index}]`;
    const directory = paths[controller];
    if (directory === undefined) {
      throw new RuntsError(`the host has no controller ${quote(controller)}`, { configPath });
    }
    try {
      // Nothing is made: a name that is none is an error.
      Deno.writeTextFileSync(`${directory}/${file}`, value, { create: false });
    } catch (cause) {
      throw new RuntsError(`write ${quote(value)} to ${quote(`${directory}/${file}`)}`, {
        configPath,
        cause: new Error(reason(cause)),
      });
    }
  }
}

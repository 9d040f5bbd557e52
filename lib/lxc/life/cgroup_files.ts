/** What is done to the cgroups of a container beside what the specification has words for. */

import { quote, reason, RuntsError } from "../../base/errors.ts";
import { statFile } from "../../base/files.ts";
import type { CgroupManager, CgroupRecord } from "../../cgroup/manager.ts";
import { hostId } from "../../cgroup/ownership.ts";
import type { SystemPlan } from "../plan/types.ts";

/** What an owner of cgroups may write to, on hierarchies of version 1 and on that of version 2 beside them. */
const OWNERS_FILES = [
  ...["cgroup.procs", "tasks"],
  ...["cgroup.subtree_control", "cgroup.threads"],
];

/** A root whose ids are mapped gets its cgroups, or systemd cannot work there. Its limits stay the host's. */
export function giveCgroups(cgroup: CgroupManager, { spec: { linux } }: SystemPlan): void {
  const uid = linux?.uidMappings?.length ? hostId(0, linux.uidMappings) : undefined;
  if (uid === undefined) return;
  cgroup.own(uid);
  const { kind, paths } = cgroup.record;
  if (kind !== "v1") return;
  for (const directory of Object.values(paths)) {
    const files = OWNERS_FILES.map((name) => `${directory}/${name}`);
    for (const path of [directory, ...files.filter((file) => statFile(file) !== undefined)]) {
      Deno.chownSync(path, uid, null);
    }
  }
}

/** Writes the files of version 1 that the specification has no words for, in their order. */
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

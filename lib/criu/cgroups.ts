/**
 * Which cgroups an image has: those of the container. Where it has none of its own in a hierarchy, as in one
 * that runts does not see, its place there is everybody's: criu would take all cgroups below it along, and a
 * restore would make them again.
 */

import { isWithin } from "../base/paths.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { cgroupsOf, membershipsOf } from "../cgroup/process.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ManageCgroups } from "./options.ts";
import { CgroupMode } from "./messages.ts";
import type { CriuRequest } from "./worker.ts";

/** What a request for an image says of cgroups beside the mode that is asked for. */
export function ownCgroups(
  runtime: Runtime,
  record: CgroupRecord,
  pid: number,
  mode: ManageCgroups | undefined,
): CriuRequest {
  const where = cgroupsOf(runtime, pid);
  const hierarchies = membershipsOf(pid).map(({ controllers }) => controllers);
  const own = hierarchies.filter((controllers) => {
    const [name = ""] = controllers.split(",");
    const directory = record.paths[name];
    return directory !== undefined && isWithin(where[name] ?? "", directory);
  });
  if (own.length === hierarchies.length) return {};
  if (own.length > 0) return { cgroupControllers: own };
  return mode === undefined ? { manageCgroupsMode: CgroupMode.ignore } : {};
}

/** Where criu is: what it restores belongs there, whatever the cgroups of the image were called. */
export function cgroupRoots(pid: number): { controller: string; path: string }[] {
  return membershipsOf(pid).flatMap(({ controllers, path }) =>
    controllers.split(",").map((controller) => ({ controller, path }))
  );
}

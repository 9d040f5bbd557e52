/** Directories of the host that the mounting of a root filesystem needs. */

import type { Caller } from "../../base/caller.ts";
import { quote, reason, RuntsError } from "../../base/errors.ts";
import type { SystemPlan } from "../plan/types.ts";

/** Makes those that are nobody else's. A place that the configuration names must be there. */
export function makeRootPlaces(caller: Caller, plan: SystemPlan): void {
  const { beyond: { rootfs }, origins } = plan;
  if (rootfs.driver !== "overlay") return;
  const place = Object.hasOwn(origins, "beyond.rootfs.mount") ? [] : [rootfs.mount];
  for (const path of [rootfs.parts.at(-1)!, rootfs.work!, ...place]) {
    try {
      Deno.mkdirSync(path, { recursive: true, mode: caller.masked(0o755) });
    } catch (cause) {
      throw new RuntsError(`make directory ${quote(path)}`, {
        configPath: "beyond.rootfs",
        cause: new Error(reason(cause)),
      });
    }
  }
}

/** What a plan asks for and no start does. */

import { RuntsError } from "../../base/errors.ts";
import type { SystemPlan } from "../plan/types.ts";

/** Throws where the container would be another one. */
export function refuseUnsupported({ beyond: { rootfs } }: SystemPlan): void {
  if (["dir", "overlay", "host"].includes(rootfs.driver)) return;
  throw new RuntsError(`root filesystems of the kind ${rootfs.driver} are not mounted`, {
    configPath: "root.path",
    hint: "mount it, and name the directory",
  });
}

/** What a configuration and the caller ask of a container's cgroup. */

import type { CgroupRequest } from "../cgroup/manager.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Spec } from "../spec/types/config.ts";

/** For a container of this id that is to be made, or explained. */
export function cgroupRequest(
  { cgroupManager, rootless }: Runtime,
  id: string,
  { linux, annotations }: Spec,
): CgroupRequest {
  const cgroupsPath = linux?.cgroupsPath;
  return {
    id,
    rootless,
    ...(cgroupManager && { manager: cgroupManager }),
    ...(cgroupsPath && { cgroupsPath }),
    ...(annotations && { annotations }),
  };
}

/** Statistics of a container, whatever its manager. */

import { quote, RuntsError } from "../../base/errors.ts";
import type { Stats } from "./types.ts";
import type { CgroupRecord } from "../manager.ts";

export type * from "./types.ts";

/** What the container uses at this moment. Throws when it has no cgroup, or no longer. */
export async function readStats(
  { paths, path }: Pick<CgroupRecord, "paths" | "path">,
): Promise<Stats> {
  const [controller] = Object.keys(paths);
  if (controller === undefined) {
    throw new RuntsError("read statistics", {
      cause: path === ""
        ? "the container has no cgroup of its own"
        : `somebody has removed the container's cgroup, ${quote(path)}`,
    });
  }
  const unified = paths[""];
  if (Object.keys(paths).length === 1 && unified !== undefined) {
    const { statsV2 } = await import("./v2.ts");
    return statsV2(unified);
  }
  const { statsV1 } = await import("./v1.ts");
  return statsV1(paths);
}

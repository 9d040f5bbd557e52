/**
 * Hybrid hosts: a controller that no v1 hierarchy has may be on the cgroup2 mount beside them.
 * What neither has is an error that says so.
 */

import { quote, RuntsError } from "../../base/errors.ts";
import type { Resources } from "../../spec/types/config.ts";
import { enableControllers } from "../v2/controllers.ts";
import { readFile } from "../files.ts";
import { type CgroupHost, hierarchyOf } from "../hierarchies.ts";
import { settingsV2 } from "../v2/resources.ts";
import type { Setting } from "../settings.ts";

/** v2 settings in place of v1 ones whose controllers are not mounted; enables the controllers. */
export function unifiedSettings(
  host: CgroupHost,
  directory: string | undefined,
  resources: Resources,
  prefix: string,
  elsewhere: readonly Setting[],
): Setting[] {
  const mountPoint = hierarchyOf(host, "")?.mountPoint;
  const file = mountPoint && readFile(`${mountPoint}/cgroup.controllers`);
  const available = (file ?? "").split(" ");
  const wanted = new Set<string>();
  for (const { controller, configPath } of elsewhere) {
    const name = controller === "blkio" ? "io" : controller;
    if (directory === undefined || mountPoint === undefined || !available.includes(name)) {
      throw new RuntsError(`use cgroup controller ${quote(controller)}`, {
        configPath,
        cause: hierarchyOf(host, controller) === undefined
          ? "the host has not mounted it"
          : "the container has no cgroup in its hierarchy",
      });
    }
    wanted.add(name);
  }
  const refused = enableControllers(mountPoint ?? "", directory ?? "", [...wanted]);
  for (const error of refused.values()) throw error;
  const current = (file: string) => readFile(`${directory}/${file}`);
  // Only the parts that are on v2 are converted: others may be impossible there.
  const { hugepageLimits, rdma, blockIO, pids } = resources;
  const part = Object.fromEntries(
    Object.entries({ hugepageLimits, rdma, blockIO, pids }).filter(([, value]) => value),
  );
  return settingsV2(part, prefix, current).filter(({ controller }) => wanted.has(controller));
}

/** What a plan asks for and no start does yet: some is refused, the rest is told. */

import { RuntsError } from "../../base/errors.ts";
import { placeText } from "../config/place.ts";
import { originOf } from "../plan/draft.ts";
import type { SystemPlan } from "../plan/types.ts";

/** Throws where the container would be another one. */
export function refuseUnsupported({ beyond: { rootfs } }: SystemPlan): void {
  if (["dir", "overlay", "host"].includes(rootfs.driver)) return;
  throw new RuntsError(`root filesystems of the kind ${rootfs.driver} are not mounted`, {
    configPath: "root.path",
    hint: "mount it, and name the directory",
  });
}

/** Warnings about settings that have no effect, each with its line. */
export function withoutEffect(plan: SystemPlan): string[] {
  const { beyond, origins } = plan;
  const { console, security, network, cgroupMount, sharedMounts, start } = beyond;
  const l2proxy = network.findIndex((device) => device.l2proxy);
  const vlan = network.findIndex(({ veth }) =>
    veth?.vlan !== undefined || (veth?.taggedVlans.length ?? 0) > 0
  );
  const found: [isSet: boolean, path: string][] = [
    [console.peer !== "pty" && console.peer !== "none", "beyond.console.peer"],
    [console.buffer !== undefined, "beyond.console.buffer"],
    [cgroupMount !== undefined, "beyond.cgroupMount"],
    [sharedMounts !== undefined, "beyond.sharedMounts"],
    [l2proxy >= 0, `beyond.network[${l2proxy}].l2proxy`],
    [vlan >= 0, `beyond.network[${vlan}]`],
    [security.coreScheduling, "beyond.security.coreScheduling"],
    [security.seccomp.nesting, "beyond.security.seccomp"],
    [start.monitorUnshare, "beyond.start.monitorUnshare"],
  ];
  return found.filter(([isSet]) => isSet).flatMap(([, path]) => {
    const at = originOf(origins, path);
    return at === undefined ? [] : [`${placeText(at)}: ${at.key} has no effect yet`];
  });
}

/** What differs for a caller who is not root: what is refused, and where cgroups are. */

import { quote, RuntsError } from "../../base/errors.ts";
import { isDirectory, statFile } from "../../base/files.ts";
import { detectHost } from "../../cgroup/hierarchies.ts";
import { inUnitName } from "../../cgroup/systemd/units.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { ownRanges } from "../../userns/subordinate_ids.ts";
import type { SystemPlan } from "../plan/types.ts";

/** The plan as it can be for an ordinary user. `id`: of the container. */
export function forOrdinaryUser(runtime: Runtime, id: string, plan: SystemPlan): SystemPlan {
  refuseUnmapped(runtime, plan);
  refuseDevices(plan);
  if (plan.beyond.cgroup.exact) return plan;
  return hasManager(runtime) ? inScope(id, plan) : inAnyCgroup(plan);
}

function refuseUnmapped({ caller }: Runtime, { spec: { linux } }: SystemPlan): void {
  if (linux?.namespaces?.some(({ type }) => type === "user")) return;
  const [range] = ownRanges("/etc/subuid", caller.uid);
  const { start, count } = range ?? { start: 100_000, count: 65_536 };
  throw new RuntsError("only root starts containers that have the ids of the host", {
    hint:
      `give it lines as "lxc.idmap = u 0 ${start} ${count}" and "lxc.idmap = g 0 ${start} ${count}"`,
  });
}

/** LXC has a set-user-ID program for these, lxc-user-nic. */
function refuseDevices({ beyond: { network } }: SystemPlan): void {
  const index = network.findIndex(({ type }) => type !== "empty");
  if (index < 0) return;
  throw new RuntsError(`a network device of the type ${quote(network[index]!.type)} needs root`, {
    configPath: `beyond.network[${index}]`,
    hint: "use lxc.net.0.type = empty or none; lxc-user-nic is not used",
  });
}

/** Whether systemd gives the user cgroups. */
function hasManager(runtime: Runtime): boolean {
  const { caller } = runtime;
  if (!isDirectory("/run/systemd/system") || detectHost(runtime).mode !== "v2") return false;
  if (caller.variable("DBUS_SESSION_BUS_ADDRESS") !== undefined) return true;
  const directory = caller.variable("XDG_RUNTIME_DIR") ?? `/run/user/${caller.uid}`;
  return statFile(`${directory}/bus`) !== undefined;
}

/** In a scope of the user's own systemd. */
function inScope(id: string, plan: SystemPlan): SystemPlan {
  const { spec, beyond } = plan;
  const cgroupsPath = `:lxc.payload:${inUnitName(id)}`;
  return {
    ...plan,
    spec: { ...spec, linux: { ...spec.linux, cgroupsPath } },
    beyond: { ...beyond, cgroup: { ...beyond.cgroup, scope: true } },
  };
}

/** In the hierarchies where the user may make one, which no limit needs. */
function inAnyCgroup(plan: SystemPlan): SystemPlan {
  const { cgroupsPath: _, ...linux } = plan.spec.linux ?? {};
  return { ...plan, spec: { ...plan.spec, linux } };
}

/**
 * A cgroup that is nobody else's: `lxc.payload.NAME`, `lxc.payload.NAME-1` and so on. Containers of one name may be
 * started at once, from several directories. Whoever makes the directory of the monitor has the number, for as long as
 * that is there: from before the container's is made until after that is gone.
 */

import { quote, RuntsError } from "../../base/errors.ts";
import { isDirectory, statFile } from "../../base/files.ts";
import { undoDirectories } from "../../cgroup/clear.ts";
import { makeDirectory } from "../../cgroup/files.ts";
import { detectHost, type Hierarchy } from "../../cgroup/hierarchies.ts";
import { containerPaths } from "../../cgroup/location.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { SystemPlan } from "../plan/types.ts";

/** How many cgroups of a name are tried. */
const SUFFIX_MAX = 1000;

/** A container that has its cgroup for itself. */
interface Claim {
  readonly plan: SystemPlan;
  /** It will not be made; what others have made meanwhile stays. */
  giveUp(): void;
}

/**
 * Gives a plan the first cgroup that is free. One that the configuration names is taken as it is, and those of ordinary
 * users have names that nobody else gives.
 */
export function claimCgroup(runtime: Runtime, plan: SystemPlan): Claim {
  const path = plan.spec.linux?.cgroupsPath;
  const host = detectHost(runtime);
  const [hierarchy] = host.hierarchies;
  const isGiven = plan.beyond.cgroup.exact || runtime.caller.uid !== 0;
  if (isGiven || path === undefined || hierarchy === undefined) {
    return { plan, giveUp: () => {} };
  }
  for (let number = 0; number < SUFFIX_MAX; number++) {
    const cgroupsPath = withNumber(path, number);
    const monitors = containerPaths(host, plan.name, monitorPath(plan, number));
    const own = Object.values(containerPaths(host, plan.name, cgroupsPath));
    if (Object.values(monitors).some(isDirectory)) continue;
    const giveUp = claimed(monitors[hierarchy.controller]!, hierarchy);
    if (giveUp === undefined) continue;
    // Of a container whose monitor was killed there may be something left.
    if (own.some(isDirectory)) giveUp();
    else return { plan: inCgroup(plan, cgroupsPath), giveUp };
  }
  throw new RuntsError(`no cgroup ${quote(path)} is free`);
}

/** Makes a directory, and gives what removes it; undefined: somebody else has made it. */
function claimed(directory: string, { mountPoint }: Hierarchy): (() => void) | undefined {
  const made: string[] = [];
  if (!makeDirectory(directory, mountPoint, made)) return undefined;
  const ino = statFile(directory)?.ino;
  return () => statFile(directory)?.ino === ino && undoDirectories(made);
}

/** The path of a monitor's cgroup, as that of its container is given. */
function monitorPath(
  { beyond: { cgroup: { monitor } }, spec }: SystemPlan,
  number: number,
): string {
  const isBelowRoot = spec.linux?.cgroupsPath?.startsWith("/") === true;
  return withNumber(isBelowRoot ? `/${monitor}` : monitor, number);
}

function withNumber(path: string, number: number): string {
  return number === 0 ? path : `${path}-${number}`;
}

function inCgroup(plan: SystemPlan, cgroupsPath: string): SystemPlan {
  const { spec } = plan;
  return { ...plan, spec: { ...spec, linux: { ...spec.linux, cgroupsPath } } };
}

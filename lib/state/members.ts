/** The processes of a container: init and those of its cgroup, or else of its pid namespace. */

import { readLink } from "../base/files.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isAlive } from "./liveness.ts";
import type { Status } from "./status.ts";
import { cgroupOf } from "./cgroup.ts";

/** Gives the process ids, as the caller sees them, each time that it is called. */
export async function membersOf(runtime: Runtime, status: Status): Promise<() => number[]> {
  const cgroup: CgroupManager = await cgroupOf(runtime, status);
  const { pid: init, startTime } = status;
  if (cgroup.record.kind === "disabled") {
    return () => isAlive(init, startTime) ? inPidNamespaceOf(runtime, init) : [];
  }
  return () => {
    const pids = cgroup.pids();
    // Somebody may have moved it.
    return pids.includes(init) || !isAlive(init, startTime) ? pids : [init, ...pids];
  };
}

/** With the pid namespace of the caller, init is all that is known. */
function inPidNamespaceOf({ caller }: Runtime, init: number): number[] {
  const namespace = pidNamespaceOf(`/proc/${init}`);
  if (namespace === undefined) return [];
  if (namespace === pidNamespaceOf(caller.proc)) return [init];
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name)
    .filter((name) => /^\d+$/.test(name) && pidNamespaceOf(`/proc/${name}`) === namespace)
    .map(Number).sort((one, other) => one - other);
}

/** Undefined for a process that is gone, or somebody else's. */
function pidNamespaceOf(proc: string): string | undefined {
  return readLink(`${proc}/ns/pid`);
}

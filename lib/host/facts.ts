/** What a plan depends on beside the configuration, as this host has it. */

import { detectHost } from "../cgroup/hierarchies.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import type { Caller } from "../base/caller.ts";
import { RuntsError } from "../base/errors.ts";
import type { CgroupHierarchy, PlanHost, ProcessOptions } from "../plan/plan.ts";
import { mountsBelow } from "./mounts.ts";
import type { Body } from "../body/body.ts";
import { isInUserNamespace } from "../runtime/host.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** The host, with the container's directory in every hierarchy. */
export function planHost(runtime: Runtime, record: CgroupRecord): PlanHost {
  const { caller, host } = runtime;
  const inUserNamespace = host.get(isInUserNamespace);
  let known: CgroupHierarchy[] | undefined;
  return {
    euid: caller.uid,
    inUserNamespace,
    callerLimits: caller.limits(),
    ...(inUserNamespace && isSetgroupsDenied(caller.proc) && { setgroupsDenied: true }),
    cgroups: () => known ??= hierarchies(runtime, record),
    mountsBelow: (path) => mountsBelow(caller, path),
  };
}

/** user_namespaces(7): whoever made the namespace of the process had no right to its groups. */
export function isSetgroupsDenied(proc: string): boolean {
  try {
    return Deno.readTextFileSync(`${proc}/setgroups`).startsWith("deny");
  } catch {
    return false; // a kernel without user namespaces
  }
}

/** Co-mounted controllers share one mount point. */
function hierarchies(runtime: Runtime, record: CgroupRecord): CgroupHierarchy[] {
  const byMount = new Map<string, { controllers: string[]; directory: string }>();
  for (const { controller, mountPoint, own } of detectHost(runtime).hierarchies) {
    const known = byMount.get(mountPoint);
    if (known !== undefined) known.controllers.push(controller);
    else {
      const scope = record.paths[controller] ?? `${mountPoint}${own}`;
      const directory = record.subgroup ? `${scope}/${record.subgroup}` : scope;
      const controllers = controller === "" ? [] : [controller];
      byMount.set(mountPoint, { controllers, directory });
    }
  }
  return [...byMount].map(([mountPoint, rest]) => ({ mountPoint, ...rest }));
}

/** Descriptors of socket activation that were meant for the caller (sd_listen_fds(3)). */
export function listenFds(caller: Caller): ProcessOptions["listen"] {
  const text = caller.variable("LISTEN_FDS") ?? "";
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count === 0) return undefined;
  if (caller.variable("LISTEN_PID") !== String(caller.pid)) return undefined;
  const names = caller.variable("LISTEN_FDNAMES");
  return { fds: count, ...(names && { names }) };
}

/** Each descriptor that is passed on must be open, and meant to be inherited. */
export async function checkPreserved(body: Body, count: number): Promise<void> {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RuntsError(`preserveFds ${count} is not a number of descriptors`);
  }
  for (let fd = 3; fd < 3 + count; fd++) {
    if (await body.isInheritable(fd)) continue;
    throw new RuntsError(
      `descriptor ${fd} is to be passed on (--preserve-fds, LISTEN_FDS) and is not open`,
    );
  }
}

/** What a plan depends on beside the configuration, as this host has it. */

import { detectHost } from "../cgroup/hierarchies.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { callerLimits } from "../base/caller_limits.ts";
import { callerVariable } from "../base/environment.ts";
import { RuntsError } from "../base/errors.ts";
import type { CgroupHierarchy, Host, ProcessOptions } from "../plan/plan.ts";
import { mountsBelow } from "./mounts.ts";
import type { Helper } from "../../ffi/helper.ts";
import { isInUserNamespace } from "../state/root.ts";

/** The host, with the container's directory in every hierarchy. */
export function planHost(record: CgroupRecord): Host {
  const inUserNamespace = isInUserNamespace();
  return {
    euid: Deno.uid() ?? 0,
    inUserNamespace,
    callerLimits: callerLimits(),
    ...(inUserNamespace && isSetgroupsDenied("self") && { setgroupsDenied: true }),
    cgroups: () => hierarchies(record),
    mountsBelow,
  };
}

/** user_namespaces(7): whoever made the namespace of the process had no right to its groups. */
export function isSetgroupsDenied(pid: number | "self"): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/setgroups`).startsWith("deny");
  } catch {
    return false; // a kernel without user namespaces
  }
}

/** Co-mounted controllers share one mount point. */
function hierarchies(record: CgroupRecord): CgroupHierarchy[] {
  const byMount = new Map<string, { controllers: string[]; directory: string }>();
  for (const { controller, mountPoint, own } of detectHost().hierarchies) {
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

/** Descriptors of socket activation that were meant for runts (sd_listen_fds(3)). */
export function listenFds(): ProcessOptions["listen"] {
  const text = callerVariable("LISTEN_FDS") ?? "";
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count === 0) return undefined;
  if (callerVariable("LISTEN_PID") !== String(Deno.pid)) return undefined;
  const names = callerVariable("LISTEN_FDNAMES");
  return { fds: count, ...(names && { names }) };
}

/** Each descriptor that is passed on must be open, and meant to be inherited. */
export function checkPreserved(helper: Helper, count: number): void {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RuntsError(`preserveFds ${count} is not a number of descriptors`);
  }
  for (let fd = 3; fd < 3 + count; fd++) {
    // Those that Deno has opened close when a program is executed.
    if (helper.fdFlags(fd) === 0) continue;
    throw new RuntsError(
      `descriptor ${fd} is to be passed on (--preserve-fds, LISTEN_FDS) and is not open`,
    );
  }
}

/** `lxc unshare`: a program of the host in namespaces of its own. */

import { isRuntsError, RuntsError } from "../../base/errors.ts";
import { unshare } from "../../container/unshare.ts";
import { load } from "../../runtime/load.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { IdMapping, NamespaceType, Process } from "../../spec/types/config.ts";
import { CAPABILITIES } from "../../spec/values/capabilities.ts";
import { lostCapabilities } from "../capabilities.ts";
import { programCode } from "./attach.ts";

/** What is run. */
interface UnshareOptions {
  readonly args: readonly string[];
  readonly namespaces: readonly NamespaceType[];
  /** Its id in a new user namespace, where it stands for the caller's. Default: 0. */
  readonly uid?: number;
  readonly hostname?: string;
  readonly devices: readonly string[];
  readonly remounts: boolean;
  readonly detach: boolean;
}

/** Runs it, and gives its exit code. */
export async function unshareProgram(runtime: Runtime, options: UnshareOptions): Promise<number> {
  const { namespaces, uid = 0, hostname, devices, remounts, detach } = options;
  const { caller } = runtime;
  const mapped = namespaces.includes("user");
  const map = (inside: number, outside: number): IdMapping[] =>
    mapped ? [{ containerID: inside, hostID: outside, size: 1 }] : [];
  try {
    return await unshare(await load(runtime), {
      process: programOf(runtime, options.args, mapped ? { uid, gid: 0 } : undefined),
      namespaces,
      uidMappings: map(uid, caller.uid),
      gidMappings: map(0, caller.gid),
      ...(hostname !== undefined && { hostname }),
      devices,
      remounts,
      detach,
    });
  } catch (error) {
    if (!isRuntsError(error)) throw error;
    throw new RuntsError(error.operation, { ...error.data, exitCode: programCode(error) });
  }
}

/** A program with all that the caller may, as another user where ids are mapped. */
export function programOf(
  runtime: Runtime,
  args: readonly string[],
  mapped: Process["user"],
): Process {
  const { caller } = runtime;
  const lost = lostCapabilities(runtime);
  const set = CAPABILITIES.filter((name) => !lost.includes(name));
  return {
    args,
    cwd: caller.workingDirectory(),
    env: caller.environment(),
    user: mapped ?? { uid: caller.uid, gid: caller.gid, additionalGids: groupsOf(caller.proc) },
    capabilities: { bounding: set, effective: set, permitted: set, inheritable: [], ambient: [] },
  };
}

function groupsOf(proc: string): number[] {
  const [, groups = ""] = /^Groups:(.*)$/m.exec(Deno.readTextFileSync(`${proc}/status`)) ?? [];
  return groups.trim().split(/\s+/).filter((group) => group !== "").map(Number);
}

/** `lxc usernsexec`: a program of the host as root of a user namespace. */

import { isRuntsError, quote, RuntsError } from "../../base/errors.ts";
import { unshare } from "../../container/unshare.ts";
import { load } from "../../runtime/load.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { IdMapping } from "../../spec/types/config.ts";
import { ownRanges, type SubordinateFile } from "../../userns/subordinate_ids.ts";
import { programCode } from "./attach.ts";
import { programOf } from "./unshare.ts";

/** What is run. */
interface UsernsOptions {
  /** Empty: a shell. */
  readonly args: readonly string[];
  /** `[u|g|b]:INSIDE:OUTSIDE:COUNT` each; none: the subordinate ids of the caller. */
  readonly maps: readonly string[];
  /** The caller's own ids are mapped behind the others, too. */
  readonly self: boolean;
}

const SHELL = "/bin/sh";

/** Runs it, and gives its exit code. */
export async function usernsExec(
  runtime: Runtime,
  { args, maps, self }: UsernsOptions,
): Promise<number> {
  const { uid, gid } = runtime.caller;
  const parsed = maps.map(mapOf);
  const mappings = (kind: "u" | "g", file: SubordinateFile, own: number): IdMapping[] => {
    const given = parsed.filter((one) => one.kind === kind || one.kind === "b")
      .map(({ mapping }) => mapping);
    const all = maps.length > 0 ? given : subordinate(file, uid);
    return self ? [...all, { containerID: behind(all), hostID: own, size: 1 }] : all;
  };
  try {
    return await unshare(await load(runtime), {
      process: programOf(runtime, args.length > 0 ? args : [SHELL], { uid: 0, gid: 0 }),
      namespaces: ["user", "mount"],
      uidMappings: mappings("u", "/etc/subuid", uid),
      gidMappings: mappings("g", "/etc/subgid", gid),
      devices: [],
      remounts: false,
      detach: false,
    });
  } catch (error) {
    if (!isRuntsError(error)) throw error;
    throw new RuntsError(error.operation, { ...error.data, exitCode: programCode(error) });
  }
}

function mapOf(text: string): { readonly kind: string; readonly mapping: IdMapping } {
  const match = /^([ugb]):(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(text);
  if (match === null) {
    throw new RuntsError(`${quote(text)} is not a range of ids`, {
      hint: 'as "b:0:100000:65536", with u for users, g for groups, b for both',
    });
  }
  const [inside, outside, size] = match.slice(2).map(Number) as [number, number, number];
  return { kind: match[1]!, mapping: { containerID: inside, hostID: outside, size } };
}

/** The first number that no range has. */
function behind(mappings: readonly IdMapping[]): number {
  return Math.max(0, ...mappings.map(({ containerID, size }) => containerID + size));
}

function subordinate(file: SubordinateFile, uid: number): IdMapping[] {
  const [range] = ownRanges(file, uid);
  if (range !== undefined) return [{ containerID: 0, hostID: range.start, size: range.count }];
  throw new RuntsError(`${file} has no ids for the user ${uid}`, { hint: "name some with -m" });
}

/**
 * The id maps of a new user namespace for which the configuration gives none (`crun spec --rootless`
 * writes such): the caller becomes the user of the process, and its subordinate ids follow.
 */

import type { Caller } from "../base/caller.ts";
import { statFile } from "../base/files.ts";
import type { IdMapping, Spec } from "../spec/types/config.ts";
import { type IdRange, ownRanges } from "./subordinate_ids.ts";

/** What the maps are made of. */
interface OwnIds {
  readonly uid: number;
  readonly gid: number;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** The configuration with the maps that it lacks. */
export function withDefaultMaps(spec: Spec, own: OwnIds): Spec {
  const { uid = 0, gid = 0 } = spec.process?.user ?? {};
  // With ids of one kind alone, newgidmap or newuidmap would be asked for what it must refuse.
  const whole = own.uids.length > 0 && own.gids.length > 0;
  return {
    ...spec,
    linux: {
      ...spec.linux,
      uidMappings: defaultMap(uid, own.uid, whole ? own.uids : []),
      gidMappings: defaultMap(gid, own.gid, whole ? own.gids : []),
    },
  };
}

/** The configuration with the maps that were chosen for a container: those of its init. */
export function withMapsOf(pid: number, spec: Spec): Spec {
  return {
    ...spec,
    linux: {
      ...spec.linux,
      uidMappings: parseMap(Deno.readTextFileSync(`/proc/${pid}/uid_map`)),
      gidMappings: parseMap(Deno.readTextFileSync(`/proc/${pid}/gid_map`)),
    },
  };
}

/** Reads uid_map or gid_map (user_namespaces(7)). */
function parseMap(text: string): IdMapping[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [containerID = 0, hostID = 0, size = 0] = line.trim().split(/\s+/).map(Number);
    return { containerID, hostID, size };
  });
}

/** Ids below that of the process first, then the caller's, then as many as there are. */
function defaultMap(inside: number, own: number, ranges: readonly IdRange[]): IdMapping[] {
  const below: IdMapping[] = [];
  const above: IdMapping[] = [];
  let next = 0;
  for (const { start, count } of ranges) {
    const first = Math.max(0, Math.min(count, inside - next));
    if (first > 0) below.push({ containerID: next, hostID: start, size: first });
    next += first;
    if (first === count) continue;
    if (next === inside) next++;
    above.push({ containerID: next, hostID: start + first, size: count - first });
    next += count - first;
  }
  return [...below, { containerID: inside, hostID: own, size: 1 }, ...above];
}

/** Subordinate ids are of use only to root, or with the tools that map them. */
export function ownIds(caller: Caller): OwnIds {
  const { uid, gid } = caller;
  const usable = uid === 0 || ["newuidmap", "newgidmap"].every((tool) => isInPath(caller, tool));
  return {
    uid,
    gid,
    uids: usable ? ownRanges("/etc/subuid", uid) : [],
    gids: usable ? ownRanges("/etc/subgid", uid) : [],
  };
}

function isInPath(caller: Caller, tool: string): boolean {
  return (caller.variable("PATH") ?? "").split(":")
    .some((directory) => statFile(`${directory}/${tool}`)?.isFile === true);
}

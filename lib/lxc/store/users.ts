/** The user namespace of a container, for what is done to its files from outside. */

import type { Caller } from "../../base/caller.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { IdMapping } from "../../spec/types/config.ts";
import { writeIdMaps } from "../../userns/id_maps.ts";
import type { LxcConfig } from "../config/config.ts";

/** Ids of one kind. */
interface Ids {
  /** The container's, and behind them the caller's own where none of those is it. */
  readonly mappings: readonly IdMapping[];
  /** The caller's own, as seen inside. */
  readonly own: number;
  /** The host's id of the container's root; undefined where it has none. */
  readonly root: number | undefined;
}

/** Those of both kinds. */
export interface Users {
  readonly uids: Ids;
  readonly gids: Ids;
}

/** Undefined for a container without a user namespace of its own. */
export function usersOf(config: LxcConfig, { uid, gid }: Caller): Users | undefined {
  const ranges = config.all("lxc.idmap").map(({ value }) => value);
  if (ranges.length === 0) return undefined;
  const mappings = (kind: "u" | "g"): IdMapping[] =>
    ranges.filter(({ type }) => type === kind).map(({ inside, outside, count }) => ({
      containerID: inside,
      hostID: outside,
      size: count,
    }));
  return { uids: idsOf(mappings("u"), uid), gids: idsOf(mappings("g"), gid) };
}

function idsOf(mappings: readonly IdMapping[], own: number): Ids {
  const root = mappings.find(({ containerID }) => containerID === 0)?.hostID;
  const found = mappings.find(({ hostID, size }) => own >= hostID && own < hostID + size);
  if (found !== undefined) {
    return { mappings, own: found.containerID + own - found.hostID, root };
  }
  const free = Math.max(0, ...mappings.map(({ containerID, size }) => containerID + size));
  const added = { containerID: free, hostID: own, size: 1 };
  return { mappings: [...mappings, added], own: free, root };
}

/** What writes the maps of a process that is to be in the namespace. */
export function mapUsers(
  runtime: LoadedRuntime,
  { uids, gids }: Users,
): (pid: number) => Promise<void> {
  const maps = { uidMappings: [...uids.mappings], gidMappings: [...gids.mappings] };
  return (pid) => writeIdMaps(runtime, pid, maps);
}

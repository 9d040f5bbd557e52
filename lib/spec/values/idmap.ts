/** The text of the mount option `idmap=`, as crun(1) describes it. */

import { quote, RuntsError } from "../../base/errors.ts";
import type { IdMapping } from "../types/config.ts";

/** A range of `idmap=`. */
interface IdmapRange {
  /** First id on the mounted filesystem. */
  readonly containerID: number;
  /** First id that it appears as; with `relative`, one of the container's user namespace. */
  readonly hostID: number;
  readonly size: number;
  readonly relative: boolean;
}

interface Idmap {
  readonly uids: readonly IdmapRange[];
  readonly gids: readonly IdmapRange[];
}

/**
 * Reads `uids=0-1000-10#10-2000-5;gids=@0-0-10`: first id of the filesystem, first id it becomes,
 * count; `@` makes the second relative to the container's user namespace.
 * Throws RuntsError that quotes what it cannot read.
 */
export function parseIdmap(text: string): Idmap {
  const idmap = { uids: [] as IdmapRange[], gids: [] as IdmapRange[] };
  for (const part of text.split(";")) {
    const match = /^(uids|gids)=(.+)$/.exec(part);
    if (!match) throw new RuntsError(`idmap ${quote(part)} is not uids=… or gids=…`);
    idmap[match[1] as "uids" | "gids"].push(...(match[2] as string).split("#").map(parseRange));
  }
  if (idmap.uids.length === 0 || idmap.gids.length === 0) {
    throw new RuntsError(`idmap ${quote(text)} needs both uids and gids`);
  }
  return idmap;
}

function parseRange(text: string): IdmapRange {
  const match = /^(@?)(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(text);
  if (!match) throw new RuntsError(`idmap range ${quote(text)} is not of the form 0-1000-10`);
  const [containerID, hostID, size] = match.slice(2).map(Number) as [number, number, number];
  if (size === 0 || Math.max(containerID, hostID) + size > 2 ** 32) {
    throw new RuntsError(`idmap range ${quote(text)} is empty or exceeds 4294967295`);
  }
  return { containerID, hostID, size, relative: match[1] === "@" };
}

/**
 * The mappings that ranges stand for. A relative one is shifted as the mapping of the container's
 * user namespace shifts its id; RuntsError if that namespace maps no such range.
 */
export function resolveIdmap(
  ranges: readonly IdmapRange[],
  namespace: readonly IdMapping[],
): IdMapping[] {
  return ranges.map(({ containerID, hostID, size, relative }) => {
    if (!relative) return { containerID, hostID, size };
    const found = namespace.find((mapping) =>
      hostID >= mapping.containerID && hostID + size <= mapping.containerID + mapping.size
    );
    if (!found) {
      throw new RuntsError(
        `idmap range "@${containerID}-${hostID}-${size}" is outside the container's user namespace`,
      );
    }
    return { containerID, hostID: hostID - found.containerID + found.hostID, size };
  });
}

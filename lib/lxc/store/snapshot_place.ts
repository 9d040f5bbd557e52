/** Where the snapshots of a container are: `snaps/snapN` in its directory, each a container of its own. */

import { isDirectory } from "../../base/files.ts";
import { isDefined } from "../place.ts";

/** The directory of containers that the snapshots are in. */
export function snapshotsPath({ directory }: { readonly directory: string }): string {
  return `${directory}/snaps`;
}

/** The snapshots, the oldest first. */
export function snapshotNames(of: { readonly directory: string }): string[] {
  const path = snapshotsPath(of);
  if (!isDirectory(path)) return [];
  return Array.from(Deno.readDirSync(path), ({ name }) => name)
    .filter((name) => isDefined(path, name))
    .toSorted((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1));
}

function numberOf(name: string): number {
  return Number(/^snap(\d+)$/.exec(name)?.[1] ?? Infinity);
}

/** The first name that is free. */
export function freeSnapshot(of: { readonly directory: string }): string {
  const path = snapshotsPath(of);
  for (let number = 0;; number++) {
    if (!isDirectory(`${path}/snap${number}`)) return `snap${number}`;
  }
}

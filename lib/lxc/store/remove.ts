/** Taking a container off the disk: what is its own, and no more. */

import { quote, RuntsError } from "../../base/errors.ts";
import { readMountinfo } from "../../base/mountinfo.ts";
import { isWithin } from "../../base/paths.ts";
import { removeIfThere, statFile } from "../../base/files.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { dependentsOf, directoryOf, forgetDependences, type Placed } from "./dependents.ts";
import { StoredFiles } from "./files.ts";
import { openStored, runDestroyHooks, type Stored } from "./opened.ts";
import { snapshotNames, snapshotsPath } from "./snapshot_place.ts";

/**
 * Removes a container that has just stopped and was meant for one life: snapshots go with it. Who does that
 * holds the lock of its state, for which a start waits that holds this one: it is not waited for.
 */
export async function destroyStopped(runtime: LoadedRuntime, place: Placed): Promise<void> {
  const stored = await openStored(runtime, place);
  refuseInUse(stored);
  await removeSnapshots(runtime, stored);
  await removeStored(runtime, stored);
}

/** Removes the snapshots of a container. */
export async function removeSnapshots(runtime: LoadedRuntime, stored: Stored): Promise<void> {
  const lxcpath = snapshotsPath(stored);
  for (const name of snapshotNames(stored)) {
    await removeStored(runtime, await openStored(runtime, { lxcpath, name }));
  }
}

/** Throws where the root filesystems of others lie on this one. */
export function refuseInUse(stored: Placed): void {
  const own = `${directoryOf(stored)}/`;
  const others = dependentsOf(stored).filter(({ lxcpath }) => !`${lxcpath}/`.startsWith(own));
  if (others.length === 0) return;
  const names = others.map((one) => quote(directoryOf(one))).join(", ");
  throw new RuntsError(`the container has clones: ${names}`, { hint: "destroy them first" });
}

/** Removes what is on disk: hooks run, the configuration goes last, so that what fails can be tried again. */
export async function removeStored(runtime: LoadedRuntime, stored: Stored): Promise<void> {
  const { directory } = stored;
  const own = removableRootfs(stored);
  refuseMounts(runtime, [...own, directory]);
  await runDestroyHooks(runtime, stored);
  const files = new StoredFiles(runtime, stored.config);
  const remove = (path: string) => files.do({ kind: "remove", path });
  for (const path of own) if (statFile(path) !== undefined) await remove(path);
  forgetDependences(stored);
  const kept = own.length > 0 ? undefined : stored.rootfs?.parts.at(-1);
  const isKept = kept !== undefined && isWithin(kept, directory);
  const [first] = isKept ? kept.slice(directory.length + 1).split("/") : [];
  for (const { name, isDirectory } of Array.from(Deno.readDirSync(directory))) {
    if (name === first || name === "config") continue;
    if (isDirectory) await remove(`${directory}/${name}`);
    else removeIfThere(`${directory}/${name}`);
  }
  if (isKept) removeIfThere(`${directory}/config`);
  else await remove(directory);
}

/** What of the root filesystem is the container's own. */
function removableRootfs({ config, rootfs, directory, lxcpath }: Stored): string[] {
  if (rootfs === undefined || config.get("lxc.rootfs.managed")?.value === false) return [];
  if (!["dir", "overlay", "btrfs"].includes(rootfs.driver)) {
    throw new RuntsError(`a root filesystem of the kind ${rootfs.driver} cannot be removed`, {
      hint: "set lxc.rootfs.managed = 0 and remove it by hand",
    });
  }
  const own = rootfs.parts.at(-1)!;
  if (own === "/" || isWithin(lxcpath, own) || isWithin(directory, own)) {
    throw new RuntsError(`the root filesystem ${quote(own)} is not the container's alone`, {
      hint: "set lxc.rootfs.managed = 0",
    });
  }
  return [own];
}

/** A mount below would keep a part of it, and what is mounted there is somebody else's. */
function refuseMounts({ caller }: LoadedRuntime, places: readonly string[]): void {
  const mount = readMountinfo(caller.proc).find(({ path }) =>
    places.some((place) => isWithin(path, place))
  );
  if (mount === undefined) return;
  throw new RuntsError(`something is mounted at ${quote(mount.path)}`, { hint: "unmount it" });
}

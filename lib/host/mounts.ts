/**
 * Mounts of a container that has no mount namespace: they are the host's, and would outlive it.
 * What create made below the root filesystem is known by the ids of proc_pid_mountinfo(5).
 */

import { detachMount } from "../../ffi/mounts.ts";
import type { Caller } from "../base/caller.ts";
import { type MountLine, readMountinfo } from "../base/mountinfo.ts";
import { isWithin, normalize } from "../base/paths.ts";

/** Where a container's mounts are looked for. */
interface MountPlace {
  /** Path of the root filesystem. */
  readonly rootfs: string;
  /** `destination` of each mount of the configuration. */
  readonly destinations: readonly string[];
}

/** Ids of the mounts on the root filesystem and below. */
export function mountIds(caller: Caller, { rootfs }: MountPlace): number[] {
  return mountsWithin(caller, realPath(rootfs)).map(({ id }) => id);
}

/**
 * Ids of the mounts that have come since. With "/" for a root, only those where the configuration has
 * one: others may be anybody's.
 */
export function newMountIds(
  caller: Caller,
  place: MountPlace,
  before: readonly number[],
): number[] {
  const root = realPath(place.rootfs);
  const points = root === "/"
    ? place.destinations.map((path) => realPath(normalize(path) || "/")).filter((path) =>
      path !== "/"
    )
    : [root];
  return mountsWithin(caller, root)
    .filter(({ id, path }) => !before.includes(id) && points.some((point) => isWithin(path, point)))
    .map(({ id }) => id);
}

/** Takes away those of the mounts that are still there, each before what it is mounted on. */
export function detachMounts(
  caller: Caller,
  { rootfs }: MountPlace,
  ids: readonly number[],
): void {
  const root = realPath(rootfs);
  for (const { id, path } of mountsWithin(caller, root).reverse()) {
    if (!ids.includes(id) || path === "/") continue;
    // What somebody has mounted over it stays, and it with that.
    const topmost = mountsWithin(caller, root).findLast((mount) => mount.path === path);
    if (topmost?.id === id) detachMount(path);
  }
}

/** What is mounted below a path, which may lead through symlinks. */
export function mountsBelow(caller: Caller, path: string): MountLine[] {
  const real = realPath(path);
  return mountsWithin(caller, real).filter((mount) => mount.path !== real);
}

/** In an order in which a mount comes after the one that it is on. */
function mountsWithin({ proc }: Caller, root: string): MountLine[] {
  return readMountinfo(proc).filter(({ path }) => isWithin(path, root));
}

/** A root filesystem that has gone has no mounts. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/**
 * Mounts of a container that has no mount namespace: they are the host's, and would outlive it.
 * What create made below the root filesystem is known by the ids of proc_pid_mountinfo(5).
 */

import { detachMount } from "../../ffi/mounts.ts";
import { type MountLine, readMountinfo } from "../base/mountinfo.ts";

/** Ids of the mounts on the root filesystem and below. */
export function mountIds(rootfs: string): number[] {
  return mountsBelow(realPath(rootfs)).map(({ id }) => id);
}

/** Takes away those of the mounts that are still there, each before what it is mounted on. */
export function detachMounts(rootfs: string, ids: readonly number[]): void {
  const root = realPath(rootfs);
  for (const { id, path } of mountsBelow(root).reverse()) {
    if (!ids.includes(id)) continue;
    // What somebody has mounted over it stays, and it with that.
    const topmost = mountsBelow(root).findLast((mount) => mount.path === path);
    if (topmost?.id === id) detachMount(path);
  }
}

/** In an order in which a mount comes after the one that it is on. */
function mountsBelow(root: string): MountLine[] {
  return readMountinfo().filter(({ path }) => path === root || path.startsWith(`${root}/`));
}

/** A root filesystem that has gone has no mounts. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

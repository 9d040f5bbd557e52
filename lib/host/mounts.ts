/**
 * Mounts of a container that has no mount namespace: they are the host's, and would outlive it.
 * What create made below the root filesystem is known by the ids of proc_pid_mountinfo(5).
 */

import { detachMount } from "../../ffi/mounts.ts";
import { unescapeMountPath } from "../base/paths.ts";

interface MountPoint {
  readonly id: number;
  readonly path: string;
}

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

/** In the order of the kernel, in which a mount comes after the one that it is on. */
function mountsBelow(root: string): MountPoint[] {
  const mounts: MountPoint[] = [];
  for (const line of Deno.readTextFileSync("/proc/self/mountinfo").split("\n")) {
    const [id, , , , escaped = ""] = line.split(" ");
    const path = unescapeMountPath(escaped);
    if (path === root || path.startsWith(`${root}/`)) mounts.push({ id: Number(id), path });
  }
  return mounts;
}

/** A root filesystem that has gone has no mounts. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/** Where a bind source in the root filesystem comes from. */

import { cleanPathFrom, isWithin, normalize } from "../base/paths.ts";
import { parseMountOptions } from "../spec/values/mount_options.ts";
import { type Container } from "./plan_writer.ts";

/**
 * A source in the root filesystem may be one that an earlier mount brings. With "/" for a root it is
 * the host's: what is mounted over that "/" is seen only from within.
 */
export function isInside(source: string, { rootfs }: Container): boolean {
  return rootfs !== "/" && isWithin(source, rootfs);
}

/**
 * The path on the host of a source in the root filesystem, when the first `count` mounts of the
 * configuration have been made. Undefined: it lies on a filesystem of the container's own, or on a
 * mount that maps ids already.
 */
export function hostSource(
  container: Container,
  source: string,
  count: number,
): string | undefined {
  const { rootfs, input: { bundle, spec: { mounts = [] } } } = container;
  if (!isInside(source, container)) return source;
  const place = normalize(source.slice(rootfs.length)) || "/";
  for (let index = count - 1; index >= 0; index--) {
    const mount = mounts[index]!;
    const destination = normalize(mount.destination);
    const options = parseMountOptions(mount.options ?? []);
    if (options.remount || !isWithin(place, destination || "/")) continue;
    if (options.bind === "none" && mount.type !== "bind" && mount.type !== "rbind") {
      return undefined;
    }
    if (options.idmap !== "none" || mount.uidMappings !== undefined) return undefined;
    const from = cleanPathFrom(bundle, mount.source ?? "") + place.slice(destination.length);
    return hostSource(container, from, index);
  }
  return source;
}

/**
 * Where earlier mounts of the configuration lie below a source in the root filesystem, in the root; not
 * those on another one of them.
 */
export function mountsBelow(container: Container, source: string, count: number): string[] {
  const { rootfs, input: { spec: { mounts = [] } } } = container;
  const place = normalize(source.slice(rootfs.length)) || "/";
  let found: string[] = [];
  for (const mount of mounts.slice(0, Math.max(count, 0))) {
    const destination = normalize(mount.destination) || "/";
    if (parseMountOptions(mount.options ?? []).remount) continue;
    found = found.filter((other) => !isWithin(other, destination));
    if (destination === place || !isWithin(destination, place)) continue;
    if (!found.some((other) => isWithin(destination, other))) found.push(destination);
  }
  return found;
}

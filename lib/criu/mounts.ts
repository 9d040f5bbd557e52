/**
 * External mounts: what a container sees of the host. An image holds their names, and whoever restores it
 * says what is to be there.
 */

import { quote, RuntsError } from "../base/errors.ts";
import { type MountLine, readMountinfo } from "../base/mountinfo.ts";
import { cleanPathFrom, isWithin, normalize } from "../base/paths.ts";
import { readLink } from "../base/files.ts";
import { NOTIFY_DIRECTORY } from "../plan/environment.ts";
import { bindOf } from "../plan/criu.ts";
import type { CgroupHierarchy, PlanHost } from "../plan/plan.ts";
import type { Mount, Spec } from "../spec/types/config.ts";

/** In an image `key` is where the mount is and `value` its name; for a restore, its name and its source. */
interface ExternalMount {
  readonly key: string;
  readonly value: string;
}

/** The kernel follows no more symlinks than this. */
const LINKS_MAX = 40;

/**
 * criu keeps "mnt[KEY]:VALUE", and what it looks for ends where this begins. In a key it would make another
 * mount of it, with a source of somebody's choice: where a symlink leads, the image decides.
 */
const KEY_END = "]:";

/** Those of a running container. */
export function mountsToName({ mounts = [], linux }: Spec, pid: number): ExternalMount[] {
  const lines = readMountinfo(`/proc/${pid}`);
  const root = `/proc/${pid}/root`;
  const points = mounts.map((mount) => resolveIn(root, mount.destination));
  const named = mounts.flatMap((mount, index) => {
    const key = points[index]!;
    if (bindOf(mount) === undefined) return [];
    const name = cleanPathFrom("/", mount.destination);
    return [
      { key, value: name },
      ...lines.filter((line) => isBroughtAlong(line.path, key, points))
        .map(({ path }) => ({ key: path, value: name + path.slice(key.length) })),
    ];
  });
  const ownCgroups = linux?.namespaces?.some(({ type }) => type === "cgroup") === true;
  const others = lines.filter((line) =>
    isOfHost(line, ownCgroups) && !named.some(({ key }) => key === line.path)
  );
  const all = [...named, ...others.map(({ path }) => ({ key: path, value: path }))];
  // Names are the keys of a restore.
  refuseUnreadable(all.flatMap(({ key, value }) => [key, value]));
  return all;
}

function refuseUnreadable(keys: readonly string[]): void {
  const lost = keys.find((key) => key.includes(KEY_END));
  if (lost === undefined) return;
  throw new RuntsError(`name ${quote(lost)} to criu`, {
    cause: `a mount point may not contain ${quote(KEY_END)}`,
    hint: "symlinks of the image may have led there",
  });
}

/** By a recursive bind mount: below it, and below no mount that is nearer. */
function isBroughtAlong(path: string, point: string, points: readonly string[]): boolean {
  return path !== point && isWithin(path, point) &&
    !points.some((other) => other !== point && isWithin(other, point) && isWithin(path, other));
}

/** What no mount of the configuration stands for: devices, cgroups and the directory of NOTIFY_SOCKET. */
function isOfHost({ type, path }: MountLine, ownCgroups: boolean): boolean {
  if (type === "devtmpfs" || path === NOTIFY_DIRECTORY) return true;
  return type.startsWith("cgroup") && !ownCgroups;
}

/** What restoring depends on. */
interface RestorePlace {
  readonly spec: Spec;
  /** Absolute paths. */
  readonly bundle: string;
  readonly rootfs: string;
  readonly host: PlanHost;
  readonly notifyDirectory: string;
}

/** What is to be in the place of each name, whether the image has it or not. */
export function mountsToPlace(place: RestorePlace): ExternalMount[] {
  const { spec: { mounts = [], linux }, rootfs, notifyDirectory } = place;
  const all = [
    ...mounts.flatMap((mount) => placeMount(place, mount)),
    { key: NOTIFY_DIRECTORY, value: notifyDirectory },
    ...DEVICES.map((path) => ({ key: path, value: path })),
    ...(linux?.devices ?? []).map(({ path }) => ({ key: path, value: path })),
  ];
  // Images of other runtimes have names behind symlinks.
  const resolved = all.map(({ key, value }) => ({ key: resolveIn(rootfs, key), value }));
  const known = new Set<string>();
  refuseUnreadable([...all, ...resolved].map(({ key }) => key));
  return [...all, ...resolved].filter(({ key }) => !known.has(key) && known.add(key));
}

/** Those that every container has. */
const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`);

function placeMount({ host, bundle }: RestorePlace, mount: Mount): ExternalMount[] {
  const key = cleanPathFrom("/", mount.destination);
  const bind = bindOf(mount);
  if (bind !== undefined) {
    const value = cleanPathFrom(bundle, mount.source ?? "");
    const below = bind === "rbind" ? host.mountsBelow?.(value) ?? [] : [];
    return [
      { key, value },
      ...below.map(({ path }) => ({ key: key + path.slice(value.length), value: path })),
    ];
  }
  if (mount.type !== "cgroup" && mount.type !== "cgroup2") return [];
  const hierarchies = host.cgroups();
  const unified = hierarchies.find(({ controllers }) => controllers.length === 0);
  if (unified !== undefined && hierarchies.length === 1) {
    return [{ key, value: unified.mountPoint }];
  }
  if (mount.type === "cgroup2") {
    return unified === undefined ? [] : [{ key, value: unified.directory }];
  }
  return hierarchies.map((hierarchy) => viewOf(hierarchy, key));
}

/** As create mounts it: under the host's name. */
function viewOf({ mountPoint, directory }: CgroupHierarchy, place: string): ExternalMount {
  const name = mountPoint.slice(mountPoint.lastIndexOf("/") + 1);
  return { key: `${place}/${name}`, value: directory };
}

/** What a path stands for inside a root; whatever is missing is taken as it is. */
export function resolveIn(root: string, path: string): string {
  let done = "";
  const rest = normalize(path).split("/").slice(1);
  for (let links = 0; rest.length > 0;) {
    const part = rest.shift()!;
    const next = normalize(`${done}/${part}`);
    const target = next === "" ? undefined : readLink(root + next);
    if (target === undefined || ++links > LINKS_MAX) {
      done = next;
      continue;
    }
    rest.unshift(...target.split("/").filter((one) => one !== ""));
    if (target.startsWith("/")) done = "";
  }
  return done || "/";
}

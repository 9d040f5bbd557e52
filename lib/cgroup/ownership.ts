/** Whether the container's cgroup is given to its root (config-linux.md, "Cgroup ownership"). */

import type { IdMapping, Spec } from "../spec/types/config.ts";

/**
 * The host's id of process.user.uid when the cgroup is to be its own: there is a new cgroup
 * namespace, and the cgroup file system is mounted writable. Else undefined.
 */
export function ownsCgroup(spec: Spec): number | undefined {
  const namespaces = spec.linux?.namespaces ?? [];
  if (!namespaces.some((namespace) => namespace.type === "cgroup" && !namespace.path)) return;
  const writable = spec.mounts?.some((mount) =>
    mount.source === "cgroup" && mount.destination === "/sys/fs/cgroup" &&
    !mount.options?.includes("ro")
  );
  if (!writable) return undefined;
  return hostId(spec.process?.user?.uid ?? 0, spec.linux?.uidMappings);
}

/** The id on the host; the same without maps, undefined when it is not mapped. */
export function hostId(id: number, mappings: readonly IdMapping[] | undefined): number | undefined {
  if (!mappings?.length) return id;
  for (const { containerID, hostID, size } of mappings) {
    if (id >= containerID && id < containerID + size) return hostID + id - containerID;
  }
  return undefined;
}

/**
 * The id maps of a new user namespace (user_namespaces(7)). Real root writes them itself; an
 * ordinary user may map its own id alone, and needs newuidmap(1) and newgidmap(1) for more.
 */

import type { Caller } from "../base/caller.ts";
import { EPERM } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import type { IdMapping, Linux, Spec } from "../spec/types/config.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { MapTool } from "./map_tools.ts";

interface Kind extends MapTool {
  readonly file: "uid_map" | "gid_map";
}

const UID: Kind = {
  file: "uid_map",
  tool: "newuidmap",
  subordinate: "/etc/subuid",
  configPath: "linux.uidMappings",
};
const GID: Kind = {
  file: "gid_map",
  tool: "newgidmap",
  subordinate: "/etc/subgid",
  configPath: "linux.gidMappings",
};

/** Whether the maps of the container's user namespace are for runts to choose. */
export function lacksMaps({ linux = {} }: Spec): boolean {
  const { namespaces, uidMappings, gidMappings } = linux;
  const isNew = namespaces?.some(({ type, path }) => type === "user" && !path);
  return isNew === true && !uidMappings?.length && !gidMappings?.length;
}

/** With the id maps that `create` chose for a container, where its configuration gives none. */
export async function withMaps(spec: Spec, pid: number): Promise<Spec> {
  if (!lacksMaps(spec)) return spec;
  const { withMapsOf } = await import("./default_maps.ts");
  return withMapsOf(pid, spec);
}

/** The text of uid_map or gid_map: `inside outside length` a line. */
export function formatMap(mappings: readonly IdMapping[]): string {
  return mappings.map((map) => `${map.containerID} ${map.hostID} ${map.size}\n`).join("");
}

/** Whether setgroups(2) has to be denied in the namespace: a single id mapped by its owner. */
function deniesSetgroups({ uid, gid }: Caller, linux: Linux): boolean {
  return uid !== 0 && isOwn(linux.gidMappings ?? [], gid);
}

/** Writes the maps of the process that waits for them. */
export async function writeIdMaps(
  runtime: LoadedRuntime,
  pid: number,
  linux: Linux,
): Promise<void> {
  const { caller } = runtime;
  const gids = linux.gidMappings ?? [];
  await writeMap(runtime, pid, UID, linux.uidMappings ?? [], caller.uid);
  if (deniesSetgroups(caller, linux)) await write(`/proc/${pid}/setgroups`, "deny", GID);
  await writeMap(runtime, pid, GID, gids, caller.gid);
}

async function writeMap(
  runtime: LoadedRuntime,
  pid: number,
  kind: Kind,
  mappings: readonly IdMapping[],
  own: number,
): Promise<void> {
  if (mappings.length === 0) return;
  if (runtime.caller.uid === 0 || isOwn(mappings, own)) {
    return await write(`/proc/${pid}/${kind.file}`, formatMap(mappings), kind);
  }
  const { runMapTool } = await import("./map_tools.ts");
  await runMapTool(runtime, pid, kind, mappings, own);
}

function isOwn(mappings: readonly IdMapping[], own: number): boolean {
  return mappings.length === 1 && mappings[0]!.size === 1 && mappings[0]!.hostID === own;
}

async function write(file: string, text: string, kind: Kind): Promise<void> {
  try {
    Deno.writeTextFileSync(file, text, { create: false });
  } catch (cause) {
    const { whyRefused } = await import("./policy.ts");
    throw new RuntsError(`write ${quote(text.trim())} to ${quote(file)}`, {
      configPath: kind.configPath,
      cause,
      ...(errnoOf(cause) === EPERM && { hint: whyRefused() }),
    });
  }
}

/** A container on disk, for commands that change what is there of it. */

import { statFile } from "../../base/files.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { LxcConfig } from "../config/config.ts";
import type { RootfsDriver } from "../config/values_more.ts";
import { openContainer } from "../container.ts";
import { systemId } from "../life/record.ts";
import { systemNow } from "../life/state.ts";
import { checkName, lxcPath } from "../place.ts";
import type { HookFacts } from "../plan/hook_call.ts";
import { refusePartial } from "./claim.ts";
import { directoryOf, type Placed } from "./dependents.ts";

/** Where the root filesystem of a container is. */
export interface Rootfs {
  readonly driver: RootfsDriver;
  /** As `lxc.rootfs.path` has them: of an overlay the lower directories, and then the upper one. */
  readonly parts: readonly string[];
}

/** A container with its configuration, whatever is wrong with that. */
export interface Stored extends Placed {
  readonly directory: string;
  readonly config: LxcConfig;
  readonly rootfs: Rootfs | undefined;
}

/** The place of a container that a command line names. */
export function placeOf(
  runtime: LoadedRuntime,
  { name, lxcpath }: { readonly name?: string | undefined; readonly lxcpath?: string | undefined },
): Placed {
  return { lxcpath: lxcPath(runtime, lxcpath), name: checkName(name) };
}

/** Reads it. Throws RuntsError where it is not there, or not yet. */
export async function openStored(runtime: LoadedRuntime, place: Placed): Promise<Stored> {
  const directory = directoryOf(place);
  await refusePartial(runtime, place.name, directory);
  const { config } = await openContainer(runtime, place);
  return { ...place, directory, config, rootfs: config.get("lxc.rootfs.path")?.value };
}

/** Whether it runs, or is about to. */
export function isRunning(runtime: LoadedRuntime, { lxcpath, name }: Placed): boolean {
  return systemNow(runtime, systemId(runtime, lxcpath, name)).state !== "STOPPED";
}

/** Whether it has snapshots of its own. */
export function hasSnapshots({ directory }: Pick<Stored, "directory">): boolean {
  const snaps = `${directory}/snaps`;
  return statFile(snaps)?.isDirectory === true && [...Deno.readDirSync(snaps)].length > 0;
}

/** Runs the clone hooks of a copy, which find its root filesystem also where that is an overlay. */
export async function runCloneHooks(
  runtime: LoadedRuntime,
  place: Placed,
  facts: HookFacts,
): Promise<void> {
  const opened = await openContainer(runtime, place);
  if (opened.config.all("lxc.hook.clone").length === 0) return;
  const { cloneHooks } = await import("./hooks.ts");
  await cloneHooks(runtime, opened, facts);
}

/** Runs the hooks of a container that is removed; what is wrong with them keeps nothing from going on. */
export async function runDestroyHooks(runtime: LoadedRuntime, place: Placed): Promise<void> {
  const opened = await openContainer(runtime, place);
  if (opened.config.all("lxc.hook.destroy").length === 0) return;
  const { destroyHooks } = await import("./hooks.ts");
  await destroyHooks(runtime, opened);
}

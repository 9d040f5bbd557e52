/** `lxc copy`: a container becomes another one's model. */

import { absolute } from "../../base/absolute.ts";
import { quote, reason, RuntsError } from "../../base/errors.ts";
import { isDirectory, statFile } from "../../base/files.ts";
import { isWithin } from "../../base/paths.ts";
import { Undo } from "../../base/undo.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { HOOK_STAGES } from "../config/keys.ts";
import { checkName } from "../place.ts";
import { claimDirectory } from "./claim.ts";
import { copiedConfig } from "./copy_config.ts";
import { writeConfig } from "./create.ts";
import { directoryOf, forgetDependences, noteDependences, type Placed } from "./dependents.ts";
import { StoredFiles } from "./files.ts";
import { lockDefinition } from "./lock.ts";
import { isRunning, openStored, placeOf, runCloneHooks, type Stored } from "./opened.ts";
import { type CopiedRootfs, copyRootfs } from "./rootfs_copy.ts";

/** How a copy is made. */
export interface CopyManner {
  /** Its root filesystem is an overlay on that of the container. */
  readonly snapshot?: boolean | undefined;
  /** Of a container that is an overlay, the copy is one, too, with the same lower directories. */
  readonly keepsKind?: boolean | undefined;
  /** It has the container's host name. */
  readonly keepName?: boolean | undefined;
  /** Its network devices have the container's addresses. */
  readonly keepAddresses?: boolean | undefined;
  /** The container may run, if the copy is an overlay. */
  readonly allowRunning?: boolean | undefined;
  /** Further arguments of the clone hooks. */
  readonly hookArgs?: readonly string[] | undefined;
  /** Lines at the end of its configuration. */
  readonly further?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a container is, and where what it becomes shall be. */
export interface BothPlaces {
  readonly name?: string | undefined;
  readonly lxcpath?: string | undefined;
  readonly newName: string;
  /** Directory of containers; default that of the container. */
  readonly newPath?: string | undefined;
}

/** What is copied. */
interface CopyOptions extends CopyManner, BothPlaces {}

/** Copies a container that does not run. When that fails, nothing of the copy is left. */
export function copyContainer(given: RuntimeOrSettings, options: CopyOptions): Promise<void> {
  return inCommand(given, "copy", options.name ?? "", async (unloaded) => {
    const runtime = await load(unloaded);
    const { from, to } = bothPlaces(runtime, options);
    using _lock = await lockDefinition(runtime, from.lxcpath, from.name);
    await copyLocked(runtime, await openStored(runtime, from), to, options);
  }, options.signal);
}

/** The places that are meant; the directory of containers that it comes into is there. */
export function bothPlaces(
  runtime: LoadedRuntime,
  options: BothPlaces,
): { from: Placed; to: Placed } {
  const from = placeOf(runtime, options);
  const { newPath, newName } = options;
  const lxcpath = newPath === undefined ? from.lxcpath : absolute(runtime.caller, newPath);
  if (!isDirectory(lxcpath)) {
    throw new RuntsError(`there is no directory ${quote(lxcpath)} for the copy`);
  }
  return { from, to: { lxcpath, name: checkName(newName) } };
}

/** The same for who holds the container's lock. */
export async function copyLocked(
  runtime: LoadedRuntime,
  source: Stored,
  to: Placed,
  manner: CopyManner,
): Promise<void> {
  refuseRunning(runtime, source, manner);
  const directory = directoryOf(to);
  using claim = await claimDirectory(runtime, directory);
  const undo = new Undo();
  const files = new StoredFiles(runtime, source.config);
  undo.add(() => files.do({ kind: "remove", path: directory }));
  try {
    await fill({ runtime, source, to, directory, files, undo }, manner);
    await claim.done();
  } catch (error) {
    await undo.run((also) => runtime.warn(`clean up ${quote(directory)}: ${reason(also)}`));
    throw error;
  }
}

function refuseRunning(runtime: LoadedRuntime, source: Stored, manner: CopyManner): void {
  if (!isRunning(runtime, source)) return;
  const { allowRunning = false, snapshot = false } = manner;
  if (allowRunning && snapshot) return;
  throw new RuntsError("the container runs", {
    hint: snapshot
      ? "stop it, or use --allowrunning"
      : "stop it; what --snapshot makes can be had with --allowrunning, too",
  });
}

interface Copying {
  readonly runtime: LoadedRuntime;
  readonly source: Stored;
  readonly to: Placed;
  readonly directory: string;
  readonly files: StoredFiles;
  readonly undo: Undo;
}

async function fill(copying: Copying, manner: CopyManner): Promise<void> {
  const { runtime, source, to, directory, files, undo } = copying;
  const { snapshot = false, keepsKind = false, keepName = false, signal } = manner;
  await files.do({ kind: "give", path: directory, like: source.directory });
  const rootfs = await copyRootfs(
    runtime,
    { source, directory, snapshot, keepsKind },
    files,
    signal,
  );
  await copyFiles(copying);
  await writeCopiedConfig(copying, rootfs, manner);
  undo.add(() => forgetDependences(to));
  noteDependences(to, rootfs.uses);
  const { own, lower } = rootfs;
  if (!keepName && own !== undefined) await files.do({ kind: "name", own, lower, name: to.name });
  await runCloneHooks(runtime, to, {
    source: source.name,
    ...(manner.hookArgs && { extra: manner.hookArgs }),
  });
}

async function writeCopiedConfig(
  { runtime, source, to, directory }: Copying,
  rootfs: CopiedRootfs,
  { keepName = false, keepAddresses = false, further }: CopyManner,
): Promise<void> {
  const file = `${source.directory}/config`;
  const text = copiedConfig(await runtime.files.read(file), {
    from: source.directory,
    to: directory,
    rootfs: rootfs.path,
    hostName: keepName ? undefined : to.name,
    keepAddresses,
    ...(further && { further }),
  });
  writeConfig(directory, text);
  giveAsIs(file, `${directory}/config`);
}

/** Owner and mode of another file. */
function giveAsIs(like: string, path: string): void {
  const { uid, gid, mode } = Deno.statSync(like);
  Deno.chownSync(path, uid, gid);
  Deno.chmodSync(path, mode! & 0o7777);
}

/** Hooks and the table of mounts that are in the container's directory. */
function copyFiles({ source: { config, directory: from }, directory }: Copying): void {
  const hooks = HOOK_STAGES.flatMap((stage) =>
    config.all(`lxc.hook.${stage}`).map(({ value }) => value.trim().split(/\s/)[0]!)
  );
  const fstab = config.get("lxc.mount.fstab")?.value;
  const files = new Set([...hooks, ...(fstab === undefined ? [] : [fstab])]);
  for (const file of files) {
    if (!isWithin(file, from) || statFile(file)?.isFile !== true) continue;
    const copy = directory + file.slice(from.length);
    try {
      Deno.mkdirSync(copy.slice(0, copy.lastIndexOf("/")), { recursive: true });
      Deno.copyFileSync(file, copy);
      giveAsIs(file, copy);
    } catch (cause) {
      throw new RuntsError(`copy ${quote(file)} to ${quote(copy)}`, { cause });
    }
  }
}

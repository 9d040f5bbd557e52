/** A container is brought back to a state that was kept: made beside it, and then put in its place. */

import { reason, RuntsError } from "../../base/errors.ts";
import { isDirectory, statFile } from "../../base/files.ts";
import { isWithin } from "../../base/paths.ts";
import { Undo } from "../../base/undo.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { copiedConfig } from "./copy_config.ts";
import { forgetDependences, noteDependences } from "./dependents.ts";
import { refuseInUse } from "./remove.ts";
import { StoredFiles } from "./files.ts";
import { isRunning, runCloneHooks, runDestroyHooks, type Stored } from "./opened.ts";
import { copyRootfs } from "./rootfs_copy.ts";
import { replaceConfig } from "./rename.ts";

/** What a root filesystem is made of in the directory of a container. */
const PLACES = ["rootfs", "overlay"];

/** Does it, for who holds the container's lock. When it fails, the container is what it was. */
export async function restoreInPlace(
  runtime: LoadedRuntime,
  stored: Stored,
  kept: Stored,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (isRunning(runtime, stored)) {
    throw new RuntsError("the container runs", { hint: "stop it" });
  }
  refuseInUse(stored);
  const { directory } = stored;
  const files = new StoredFiles(runtime, stored.config);
  const remove = (path: string) => files.do({ kind: "remove", path });
  const stage = `${directory}/restore`;
  const former = `${directory}/former`;
  // A command that was killed may have left them.
  for (const path of [stage, former]) if (isDirectory(path)) await remove(path);
  const undo = new Undo();
  try {
    Deno.mkdirSync(stage);
    undo.add(() => remove(stage));
    const rootfs = await copyRootfs(
      runtime,
      { source: kept, directory: stage, snapshot: false, keepsKind: true },
      files,
      signal,
    );
    const text = await runtime.files.read(`${kept.directory}/config`);
    const config = copiedConfig(text, {
      from: kept.directory,
      to: directory,
      rootfs: rootfs.path?.replaceAll(`${stage}/`, `${directory}/`),
      hostName: undefined,
      keepAddresses: true,
    });
    await runDestroyHooks(runtime, stored);
    await swap(files, { directory, stage, former }, undo);
    const old = await runtime.files.read(`${directory}/config`);
    replaceConfig(directory, config);
    undo.add(() => replaceConfig(directory, old));
    forgetDependences(stored);
    noteDependences(stored, rootfs.uses);
    await runCloneHooks(runtime, stored, { source: kept.name });
  } catch (error) {
    await undo.run((also) => runtime.warn(`undo the restoring: ${reason(also)}`));
    throw error;
  }
  await remove(stage);
  if (isDirectory(former)) await remove(former);
  await removeElsewhere(remove, stored);
}

interface Places {
  readonly directory: string;
  readonly stage: string;
  readonly former: string;
}

/** What was there is put aside, and what was made in its place. */
async function swap(
  files: StoredFiles,
  { directory, stage, former }: Places,
  undo: Undo,
): Promise<void> {
  const move = async (from: string, to: string) => {
    if (statFile(from) === undefined) return;
    await files.do({ kind: "move", from, to });
    undo.add(() => files.do({ kind: "move", from: to, to: from }));
  };
  Deno.mkdirSync(former);
  undo.add(() => Deno.removeSync(former));
  for (const name of PLACES) await move(`${directory}/${name}`, `${former}/${name}`);
  for (const name of PLACES) await move(`${stage}/${name}`, `${directory}/${name}`);
}

/** The root filesystem that it had may have been anywhere. */
async function removeElsewhere(
  remove: (path: string) => Promise<void>,
  { rootfs, directory, config, lxcpath }: Stored,
): Promise<void> {
  const own = rootfs?.driver === "dir" ? rootfs.parts[0]! : undefined;
  const isManaged = config.get("lxc.rootfs.managed")?.value !== false;
  if (own === undefined || !isManaged || isWithin(own, directory)) return;
  if (isWithin(lxcpath, own) || !isDirectory(own)) return;
  await remove(own);
}

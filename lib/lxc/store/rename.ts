/** `lxc copy --rename`: a container gets another name; nothing is copied. */

import { errnoOf, quote, reason, RuntsError } from "../../base/errors.ts";
import { EXDEV } from "../../base/errno.ts";
import { statFile } from "../../base/files.ts";
import { isWithin } from "../../base/paths.ts";
import { Undo } from "../../base/undo.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { type BothPlaces, bothPlaces } from "./copy.ts";
import { copiedConfig } from "./copy_config.ts";
import {
  dependsOn,
  directoryOf,
  forgetDependences,
  noteDependences,
  type Placed,
} from "./dependents.ts";
import { refuseInUse } from "./remove.ts";
import { StoredFiles } from "./files.ts";
import { lockDefinition } from "./lock.ts";
import { hasSnapshots, isRunning, openStored, runCloneHooks, type Stored } from "./opened.ts";

/** What is renamed. */
interface RenameOptions extends BothPlaces {
  /** Further arguments of the clone hooks. */
  readonly hookArgs?: readonly string[] | undefined;
}

/** Renames a container that does not run. */
export function renameContainer(given: RuntimeOrSettings, options: RenameOptions): Promise<void> {
  return inCommand(given, "copy", options.name ?? "", async (unloaded) => {
    const runtime = await load(unloaded);
    const { from, to } = bothPlaces(runtime, options);
    using _lock = await lockDefinition(runtime, from.lxcpath, from.name);
    const source = await openStored(runtime, from);
    refuse(runtime, source, to);
    const undo = new Undo();
    try {
      await rename(runtime, source, to, undo);
    } catch (error) {
      await undo.run((also) => runtime.warn(`undo the renaming: ${reason(also)}`));
      throw error;
    }
    await runCloneHooks(runtime, to, {
      source: from.name,
      ...(options.hookArgs && { extra: options.hookArgs }),
    });
  });
}

function refuse(runtime: LoadedRuntime, source: Stored, to: Placed): void {
  if (isRunning(runtime, source)) {
    throw new RuntsError("the container runs", { hint: "stop it" });
  }
  refuseInUse(source);
  if (hasSnapshots(source)) throw new RuntsError("the container has snapshots");
  if (statFile(directoryOf(to)) === undefined) return;
  throw new RuntsError("the container exists already", {
    cause: new Error(`there is ${quote(directoryOf(to))}`),
  });
}

async function rename(
  runtime: LoadedRuntime,
  source: Stored,
  to: Placed,
  undo: Undo,
): Promise<void> {
  const { directory: from, rootfs } = source;
  const directory = directoryOf(to);
  const uses = dependsOn(source);
  const text = await runtime.files.read(`${from}/config`);
  forgetDependences(source);
  undo.add(() => noteDependences(source, uses));
  moveDirectory(from, directory);
  undo.add(() => Deno.renameSync(directory, from));
  const parts = rootfs?.parts.map((part) =>
    isWithin(part, from) ? directory + part.slice(from.length) : part
  );
  const path = parts && `${rootfs!.driver}:${parts.join(":")}`;
  const config = copiedConfig(text, {
    ...{ from, to: directory, rootfs: path, hostName: to.name, keepAddresses: true, moved: true },
  });
  replaceConfig(directory, config);
  undo.add(() => replaceConfig(directory, text));
  undo.add(() => forgetDependences(to));
  noteDependences(to, uses);
  const isOverlay = rootfs?.driver === "overlay";
  if (parts === undefined) return;
  await new StoredFiles(runtime, source.config).do({
    kind: "name",
    own: parts.at(-1)!,
    lower: isOverlay ? parts.slice(0, -1) : [],
    name: to.name,
  });
}

function moveDirectory(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (cause) {
    throw new RuntsError(`rename ${quote(from)} to ${quote(to)}`, {
      cause,
      ...(errnoOf(cause) === EXDEV && { hint: "copy it, and destroy it" }),
    });
  }
}

/** Writes a configuration anew, in one step; mode and owner stay. */
export function replaceConfig(directory: string, text: string): void {
  const file = `${directory}/config`;
  const { mode, uid, gid } = Deno.statSync(file);
  Deno.writeTextFileSync(`${file}.new`, text);
  Deno.chmodSync(`${file}.new`, mode! & 0o7777);
  Deno.chownSync(`${file}.new`, uid, gid);
  Deno.renameSync(`${file}.new`, file);
}

/** `lxc destroy`: a container and all that was made for it is removed. */

import { quote, RuntsError } from "../../base/errors.ts";
import { statFile } from "../../base/files.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { systemId } from "../life/record.ts";
import { removePartial } from "./claim.ts";
import { directoryOf } from "./dependents.ts";
import { lockDefinition } from "./lock.ts";
import { hasSnapshots, isRunning, openStored, placeOf, type Stored } from "./opened.ts";
import { refuseInUse, removeSnapshots, removeStored } from "./remove.ts";

/** What is removed. */
interface DestroyOptions {
  readonly name?: string | undefined;
  readonly lxcpath?: string | undefined;
  /** One that runs is killed. */
  readonly force?: boolean | undefined;
  /** With its snapshots. */
  readonly snapshots?: boolean | undefined;
}

/** Removes a container. */
export function destroyContainer(
  given: RuntimeOrSettings,
  options: DestroyOptions,
): Promise<void> {
  return inCommand(given, "destroy", options.name ?? "", async (unloaded) => {
    const runtime = await load(unloaded);
    const place = placeOf(runtime, options);
    const directory = directoryOf(place);
    if (statFile(directory) === undefined) {
      throw new RuntsError(`container ${quote(place.name)} does not exist`);
    }
    if (await removePartial(runtime, directory)) return;
    if (options.force && isRunning(runtime, place)) {
      const { stopSystem } = await import("../life/stop.ts");
      await stopSystem(runtime, {
        id: systemId(runtime, place.lxcpath, place.name),
        kill: true,
      });
    }
    using _lock = await lockDefinition(runtime, place.lxcpath, place.name);
    const stored = await openStored(runtime, place);
    refuseDestroy(runtime, stored, options);
    if (options.snapshots) await removeSnapshots(runtime, stored);
    await removeStored(runtime, stored);
  });
}

function refuseDestroy(
  runtime: LoadedRuntime,
  stored: Stored,
  { force, snapshots }: DestroyOptions,
): void {
  if (isRunning(runtime, stored)) {
    throw new RuntsError("the container runs", force ? {} : { hint: "stop it, or use --force" });
  }
  refuseInUse(stored);
  if (!snapshots && hasSnapshots(stored)) {
    throw new RuntsError("the container has snapshots", { hint: "use --snapshots" });
  }
}

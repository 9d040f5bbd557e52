/** `lxc snapshot`: states of a container that are kept, each a container below its directory. */

import { readFile, statFile } from "../../base/files.ts";
import { numberOf, quote, RuntsError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { checkName } from "../place.ts";
import { copyLocked } from "./copy.ts";
import { directoryOf } from "./dependents.ts";
import { removeStored } from "./remove.ts";
import { lockDefinition } from "./lock.ts";
import { openStored, placeOf, type Stored } from "./opened.ts";
import { restoreInPlace } from "./restore.ts";
import { freeSnapshot, snapshotNames, snapshotsPath } from "./snapshot_place.ts";

/** Whose snapshots. */
interface Named {
  readonly name?: string | undefined;
  readonly lxcpath?: string | undefined;
}

/** A state that was kept. */
export interface Snapshot {
  /** `snap0` and so on. */
  readonly name: string;
  /** The directory that it is in. */
  readonly path: string;
  /** `2026:11:30 19:10:15`, local time, as LXC writes it; empty if it is not known. */
  readonly time: string;
  /** What was said of it; undefined where nothing was. */
  readonly comment: string | undefined;
}

const TIME = "ts";
const COMMENT = "comment";

/** The work on a container whose lock is held. */
function onContainer<T>(
  given: RuntimeOrSettings,
  named: Named,
  body: (runtime: LoadedRuntime, stored: Stored) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return inCommand(given, "snapshot", named.name ?? "", async (unloaded) => {
    const runtime = await load(unloaded);
    const place = placeOf(runtime, named);
    using _lock = await lockDefinition(runtime, place.lxcpath, place.name);
    return await body(runtime, await openStored(runtime, place));
  }, signal);
}

/** Keeps the state of a container that does not run; gives the name of the snapshot. */
export function takeSnapshot(
  given: RuntimeOrSettings,
  named: Named & { readonly comment?: string | undefined; readonly signal?: AbortSignal },
): Promise<string> {
  const { comment, signal } = named;
  return onContainer(given, named, async (runtime, stored) => {
    const text = comment === undefined ? undefined : readText(comment);
    const path = snapshotsPath(stored);
    Deno.mkdirSync(path, { recursive: true });
    const place = { lxcpath: path, name: freeSnapshot(stored) };
    const manner = { keepName: true, keepAddresses: true, keepsKind: true };
    await copyLocked(runtime, stored, place, { ...manner, ...(signal && { signal }) });
    Deno.writeTextFileSync(`${directoryOf(place)}/${TIME}`, timeText(new Date()));
    if (text !== undefined) Deno.writeTextFileSync(`${directoryOf(place)}/${COMMENT}`, text);
    return place.name;
  }, signal);
}

function timeText(time: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join(":");
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

/** The snapshots of a container, the oldest first. */
export function listSnapshots(given: RuntimeOrSettings, named: Named): Promise<Snapshot[]> {
  return inCommand(given, "snapshot", named.name ?? "", async (unloaded) => {
    const runtime = await load(unloaded);
    const stored = await openStored(runtime, placeOf(runtime, named));
    const path = snapshotsPath(stored);
    return snapshotNames(stored).map((name) => {
      const comment = `${path}/${name}/${COMMENT}`;
      return {
        name,
        path,
        time: readFile(`${path}/${name}/${TIME}`) ?? "",
        comment: statFile(comment) === undefined ? undefined : readText(comment),
      };
    });
  });
}

function readText(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    throw new RuntsError(`read ${quote(file)}`, numberOf(cause));
  }
}

/**
 * Brings a container back to a state, or makes another one of it.
 *
 * @param newName of the other one; absent or the container's own: it is brought back itself
 */
export function restoreSnapshot(
  given: RuntimeOrSettings,
  named: Named & {
    readonly snapshot: string;
    readonly newName?: string | undefined;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const { snapshot, newName, signal } = named;
  return onContainer(given, named, async (runtime, stored) => {
    const kept = await openSnapshot(runtime, stored, snapshot);
    if (newName === undefined || newName === stored.name) {
      return await restoreInPlace(runtime, stored, kept, signal);
    }
    const to = { lxcpath: stored.lxcpath, name: checkName(newName) };
    await copyLocked(runtime, kept, to, { keepsKind: true, ...(signal && { signal }) });
  }, signal);
}

/** Removes a snapshot; `ALL`: each of them. */
export function destroySnapshot(
  given: RuntimeOrSettings,
  named: Named & { readonly snapshot: string },
): Promise<void> {
  return onContainer(given, named, async (runtime, stored) => {
    const names = named.snapshot === "ALL" ? snapshotNames(stored) : [named.snapshot];
    for (const name of names) {
      await removeStored(runtime, await openSnapshot(runtime, stored, name));
    }
  });
}

async function openSnapshot(
  runtime: LoadedRuntime,
  stored: Stored,
  name: string,
): Promise<Stored> {
  const names = snapshotNames(stored);
  if (names.includes(name)) {
    return await openStored(runtime, { lxcpath: snapshotsPath(stored), name });
  }
  const near = nearest(name, names);
  throw new RuntsError(`the container has no snapshot ${quote(name)}`, {
    ...(near !== undefined && { hint: `did you mean ${quote(near)}?` }),
  });
}

/** Names of execs, and their places in the state directory: those of ended ones are kept for a while. */

import { EEXIST } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import { processDirectory, processNames } from "../monitor/places.ts";
import { makeProcessDirectory, removeProcessDirectory } from "../monitor/process.ts";
import { lookAt, processStanding } from "../monitor/standing.ts";
import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import { checkName } from "../state/id.ts";
import { INIT } from "../state/process_record.ts";
import { supervisedOf } from "./wait.ts";

/** So many that have ended are kept, the newest; more than so many are not looked for more often. */
const KEPT = 100;
const SLACK = 28;
/** A place that nobody has made use of for this long, in ms, was left behind. */
const UNUSED = 60_000;
/** How long one command waits for another one here, in ms. */
const LOCK_TIMEOUT = 10_000;

/** A name can be used again once its process has ended. */
export async function takeName(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  wanted?: string,
): Promise<string> {
  if (wanted !== undefined) refuseName(runtime, directory, wanted);
  const names = processNames(directory);
  if (names.length > KEPT + SLACK) {
    await locked(runtime, directory, () => removeOldest(runtime, directory, names));
  }
  return wanted ?? newName(directory, names);
}

/** Makes the place of a process that is going to be. */
export function makePlace(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  name: string,
): Promise<void> {
  return locked(runtime, directory, () => makeProcessDirectory(runtime, directory, name));
}

/** Nobody has a process of this name that could be removed meanwhile. */
async function locked(
  { helper }: LoadedRuntime,
  directory: StateDirectory,
  body: () => void,
): Promise<void> {
  const lock = await helper.lock(directory.file("processes.lock"), LOCK_TIMEOUT);
  try {
    body();
  } finally {
    helper.close(lock);
  }
}

function refuseName(runtime: LoadedRuntime, directory: StateDirectory, wanted: string): void {
  checkName("process name", wanted);
  if (wanted === INIT) {
    throw new RuntsError(`${quote(wanted)} is the name of the container's program`);
  }
  const look = {
    ...lookAt(supervisedOf(directory), runtime.host.get(bootId)),
    warn: () => {},
  };
  if (processStanding(directory, wanted, look)?.status === "running") throw taken(wanted);
}

export function taken(name: string): RuntsError {
  return new RuntsError(`it has a process ${quote(name)} that runs`);
}

/** One that nobody has, or is about to have. */
function newName(directory: StateDirectory, names: readonly string[]): string {
  const used = names.map((name) => Number(/^exec-(\d{1,9})$/.exec(name)?.[1] ?? 0));
  for (let number = Math.max(0, ...used) + 1;; number++) {
    const name = `exec-${number}`;
    try {
      Deno.mkdirSync(processDirectory(directory, name), { mode: 0o700 });
      return name;
    } catch (cause) {
      if (errnoOf(cause) !== EEXIST) {
        throw new RuntsError(`make directory ${quote(processDirectory(directory, name))}`, {
          cause,
        });
      }
    }
  }
}

/** Of those that have ended, all but the newest. */
function removeOldest(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  names: readonly string[],
): void {
  const look = {
    ...lookAt(supervisedOf(directory), runtime.host.get(bootId)),
    warn: () => {},
  };
  const ended = names.filter((name) => name !== INIT).flatMap((name) => {
    const standing = processStanding(directory, name, look);
    if (standing?.status === "running") return [];
    const time = standing?.exit?.at ?? standing?.record?.created;
    return time === undefined ? leftBehind(directory, name) : [{ name, time: Date.parse(time) }];
  });
  ended.sort((one, other) => other.time - one.time);
  for (const { name } of ended.slice(KEPT)) removeProcessDirectory(directory, name);
}

/** Whoever was to make use of it was killed. */
function leftBehind(directory: StateDirectory, name: string): { name: string; time: number }[] {
  const made = statFile(processDirectory(directory, name))?.mtime ?? Date.now();
  return Number(made) < Date.now() - UNUSED ? [{ name, time: 0 }] : [];
}

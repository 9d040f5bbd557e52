/** What the managers that work on plain files have in common. */

import { delay } from "../base/delay.ts";
import { quote, RuntsError } from "../base/errors.ts";
import type { Resources } from "../spec/types/config.ts";
import { killMembers, named, removedAlone, removeDirectories } from "./clear.ts";
import { pidsBelow, readFile } from "./files.ts";
import { freezerOf, isHeld } from "./freezer.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { SubCgroups } from "./below.ts";
import type { CgroupJoin, CgroupManager, CgroupRecord, Preparation, Tolerance } from "./manager.ts";

/** How long freezing may take, in ms. */
const FREEZE_TIMEOUT = 10_000;

/** A container's cgroup as directories. */
export abstract class DirectoryCgroup implements CgroupManager {
  protected readonly runtime: Runtime;
  protected readonly tolerance: Tolerance;
  abstract readonly record: CgroupRecord;

  constructor(runtime: Runtime, tolerance: Tolerance = { rootless: false, optional: false }) {
    this.runtime = runtime;
    this.tolerance = tolerance;
  }

  abstract prepare(resources: Resources, preparation?: Preparation): Promise<CgroupJoin>;
  abstract joinFiles(sub?: SubCgroups, initPid?: number): CgroupJoin;
  /** `directory`: another than the container's own. */
  abstract own(hostUid: number, directory?: string): void;
  abstract update(resources: Resources): Promise<void>;
  abstract frozen(): boolean;
  abstract freeze(): Promise<void>;
  abstract thaw(): Promise<void>;

  foresee(): CgroupJoin | undefined {
    return this.tolerance.optional ? undefined : this.joinFiles();
  }

  /** A directory through which all members can be found. */
  protected abstract mainDirectory(): string | undefined;

  attach(_pid: number): Promise<void> {
    return Promise.resolve();
  }

  pids(): number[] {
    const directory = this.mainDirectory();
    return directory === undefined ? [] : pidsBelow(directory);
  }

  async killAll(): Promise<void> {
    const directory = this.mainDirectory();
    if (directory === undefined) return;
    await killMembers(this.runtime, {
      directory,
      pids: () => pidsBelow(directory),
      freeze: () => this.freeze(),
      thaw: () => this.thaw(),
    });
  }

  removeUnused(): boolean {
    const main = this.mainDirectory();
    if (main === undefined) return true;
    // The others only where nobody can be found any more.
    return [...new Set([main, ...Object.values(this.record.paths)])].every(removedAlone);
  }

  remove(): Promise<void> {
    return removeDirectories(Object.values(this.record.paths));
  }
}

/** The directory through which all members of a container can be found. */
export function mainDirectory(paths: Readonly<Record<string, string>>): string | undefined {
  return paths["freezer"] ?? paths["devices"] ?? Object.values(paths)[0];
}

/** Whether resources say more than device rules. */
export function asksLimits({ devices: _, ...limits }: Resources): boolean {
  return Object.values(limits).some((part) => Object.keys(part ?? {}).length > 0);
}

/**
 * Refuses a cgroup that others use or that is frozen: a process that enters it would share
 * limits with strangers, or never run (spec, "Cgroup fitness"). `own`: who may be in it.
 */
export function refuseUnfit(directory: string, own?: number): void {
  refuseFrozen(directory);
  const pids = pidsBelow(directory).filter((pid) => pid !== own);
  if (pids.length === 0) return;
  const count = pids.length === 1 ? "1 process" : `${pids.length} processes`;
  throw unfit(
    directory,
    `it is not empty: ${count} in it: ${named(pids)}`,
    "give the container a cgroup of its own, or wait until they have ended",
  );
}

/** Refuses a cgroup in which a process would not run. */
export function refuseFrozen(directory: string): void {
  const freezer = isHeld(directory) === false ? undefined : freezerOf(directory);
  if (freezer === undefined) return;
  throw freezer === directory
    ? unfit(directory, "it is frozen", "thaw it, or give the container another one")
    : unfit(
      directory,
      `cgroup ${quote(freezer)} above it is frozen`,
      "thaw that one, or give the container another one",
    );
}

function unfit(directory: string, cause: string, hint: string): RuntsError {
  return new RuntsError(`use cgroup ${quote(directory)}`, {
    configPath: "linux.cgroupsPath",
    cause,
    hint,
  });
}

/** Polls until the cgroup is frozen; `again` is called before every look. Undoes it on failure. */
export async function waitFrozen(
  directory: string,
  isFrozen: () => boolean,
  again: () => void,
  thaw: () => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + FREEZE_TIMEOUT;
  for (let pause = 0; performance.now() < deadline; pause = Math.min(pause + 1, 20)) {
    again();
    if (isFrozen()) return;
    await delay(pause);
  }
  await thaw();
  throw new RuntsError(`freeze cgroup ${quote(directory)}`, {
    cause: `it is not frozen after ${FREEZE_TIMEOUT / 1000} s; it was thawed again`,
    hint: stuckMembers(directory),
  });
}

/** Processes in uninterruptible sleep are what keeps a cgroup from freezing. */
function stuckMembers(directory: string): string {
  const pids = pidsBelow(directory);
  const stuck = pids.filter((pid) => /^State:\s+D/m.test(readFile(`/proc/${pid}/status`) ?? ""));
  return stuck.length === 0
    ? `${pids.length} processes are in it, which may be forking too fast`
    : `in uninterruptible sleep: ${named(stuck)}`;
}

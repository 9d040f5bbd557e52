/** The cgroup of a container that is gone, or that somebody else has made anew under its name. */

import { quote, RuntsError } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { cgroupsOf } from "./process.ts";
import type { SubCgroups } from "./below.ts";
import type { CgroupJoin, CgroupManager, CgroupRecord } from "./manager.ts";

/** Nothing in it is the container's: it is neither frozen nor changed. */
export class LostCgroup implements CgroupManager {
  readonly record: CgroupRecord;
  readonly #runtime: Runtime;
  readonly #directory: string;
  readonly #left: CgroupManager | undefined;

  /** `left`: what there may still be of it, to be ended with the container. */
  constructor(runtime: Runtime, directory: string, left?: CgroupManager) {
    this.#runtime = runtime;
    this.record = { kind: "disabled", path: directory, paths: {} };
    this.#directory = directory;
    this.#left = left;
  }

  prepare(): Promise<CgroupJoin> {
    return Promise.reject(this.#gone());
  }
  attach(): Promise<void> {
    return Promise.reject(this.#gone());
  }

  /** An additional process shares what limits init has now. */
  joinFiles(sub?: SubCgroups, initPid?: number): CgroupJoin {
    if (Object.keys(sub ?? {}).length > 0 || initPid === undefined) throw this.#gone();
    const { "": bornIn, ...others } = cgroupsOf(this.#runtime, initPid);
    const files = new Set(Object.values(others).map((directory) => `${directory}/tasks`));
    return { ...(bornIn !== undefined && { bornIn }), files: [...files], moved: false };
  }

  own(): void {}
  update(): Promise<void> {
    return Promise.reject(this.#gone());
  }
  frozen(): boolean {
    return false;
  }
  freeze(): Promise<void> {
    return Promise.reject(this.#gone());
  }
  thaw(): Promise<void> {
    return Promise.resolve();
  }
  pids(): number[] {
    return [];
  }
  async killAll(): Promise<void> {
    await this.#left?.killAll();
  }
  async remove(): Promise<void> {
    await this.#left?.remove();
  }

  #gone(): RuntsError {
    return new RuntsError(`use cgroup ${quote(this.#directory)}`, {
      cause: "somebody has removed it from under the container",
      hint: "its processes were moved to other cgroups before",
    });
  }
}

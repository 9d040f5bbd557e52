/**
 * cgroup v1 and hybrid hosts: the container has a directory in every hierarchy, also in
 * name=systemd and in a cgroup2 mount beside them, since clients read statistics there.
 */

import { EINVAL } from "../../base/errno.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { applyV1, updateV1 } from "./apply.ts";
import type { Resources } from "../../spec/types/config.ts";
import {
  DirectoryCgroup,
  mainDirectory,
  refuseFrozen,
  refuseUnfit,
  waitFrozen,
} from "../directory.ts";
import { killMembers, undoDirectories } from "../clear.ts";
import {
  isPermission,
  makeDirectory,
  pidsBelow,
  readFile,
  withDescendants,
  writeFile,
} from "../files.ts";
import { FREEZERS, thawUnified } from "../freezer.ts";
import { type CgroupHost, detectHost, hierarchyOf } from "../hierarchies.ts";
import { recordPath } from "../location.ts";
import { cgroupsOf } from "../process.ts";
import { below, checkControllers, type SubCgroups } from "../below.ts";
import type { CgroupJoin, CgroupRecord, Preparation, Tolerance } from "../manager.ts";

/** Manager for hosts whose controllers are on v1 hierarchies. */
export class CgroupV1 extends DirectoryCgroup {
  #paths: Record<string, string>;
  readonly #host: CgroupHost;
  readonly #missing: readonly string[];

  /** `missing`: controllers whose cgroup was taken away from the container. */
  constructor(
    runtime: Runtime,
    paths: Readonly<Record<string, string>>,
    tolerance?: Tolerance,
    missing: readonly string[] = [],
  ) {
    super(runtime, tolerance);
    this.#host = detectHost(runtime);
    this.#paths = { ...paths };
    this.#missing = missing;
  }

  override get record(): CgroupRecord {
    const paths = this.#paths;
    if (Object.keys(paths).length === 0) return { kind: "disabled", path: "", paths };
    return { kind: "v1", path: recordPath(this.#host, paths), paths };
  }

  override async prepare(
    resources: Resources,
    { adopt = false, newborn }: Preparation = {},
  ): Promise<CgroupJoin> {
    const made: string[] = [];
    const { "": unified, ...others } = this.#paths;
    try {
      if (unified !== undefined) this.#make("", unified, made, adopt);
      newborn?.ready();
      for (const [controller, directory] of Object.entries(others)) {
        this.#make(controller, directory, made, adopt);
      }
      await applyV1(this.#host, this.#paths, resources, this.tolerance.rootless);
    } catch (error) {
      await newborn?.end();
      undoDirectories(made);
      // What is left there belongs to somebody else, and is not for `remove`.
      this.#paths = {};
      throw error;
    }
    return this.joinFiles();
  }

  #make(controller: string, directory: string, made: string[], adopt: boolean): void {
    const mountPoint = hierarchyOf(this.#host, controller)?.mountPoint ?? "";
    try {
      const isNew = makeDirectory(directory, mountPoint, made);
      if (controller === "cpuset") inheritCpuset(directory, mountPoint);
      const strange = !isNew && !adopt && !made.includes(directory);
      if (strange) refuseUnfit(directory);
      else if (!adopt && FREEZERS.includes(controller)) refuseFrozen(directory);
    } catch (error) {
      if (!this.tolerance.optional || !isPermission(error)) throw error;
      delete this.#paths[controller];
    }
  }

  override joinFiles(sub?: SubCgroups, initPid?: number): CgroupJoin {
    checkControllers(sub ?? {}, this.#paths);
    const files = new Set<string>();
    const place = (controller: string, directory: string) => {
      const path = sub?.[""] ?? sub?.[controller];
      return path === undefined ? directory : below(directory, path);
    };
    const paths = { ...this.#placesOf(initPid), ...this.#paths };
    for (const [controller, directory] of Object.entries(paths)) {
      if (controller !== "") files.add(`${place(controller, directory)}/tasks`);
    }
    const unified = paths[""];
    return {
      // Entering by cgroup.procs would wait for an RCU grace period; being born there does not.
      ...(unified !== undefined && { bornIn: place("", unified) }),
      files: [...files],
      moved: false,
    };
  }

  /** Where init has been moved to in the hierarchies that the container has no cgroup in any more. */
  #placesOf(initPid: number | undefined): Record<string, string> {
    if (initPid === undefined || this.#missing.length === 0) return {};
    const places = Object.entries(cgroupsOf(this.runtime, initPid));
    return Object.fromEntries(places.filter(([controller]) => this.#missing.includes(controller)));
  }

  /** The specification advises against giving v1 hierarchies away. */
  override own(_hostUid: number): void {}

  override async update(resources: Resources): Promise<void> {
    await updateV1(this.#host, this.#paths, resources);
  }

  override frozen(): boolean {
    const directory = this.#paths["freezer"];
    return directory !== undefined && isFrozen(directory);
  }

  override async freeze(): Promise<void> {
    const directory = this.#paths["freezer"];
    if (directory === undefined) {
      throw new RuntsError("freeze the container", {
        cause: "it has no cgroup in a freezer hierarchy",
      });
    }
    const state = `${directory}/freezer.state`;
    await waitFrozen(
      directory,
      () => readFile(state) === "FROZEN",
      // Written again each time: processes that fork while the kernel freezes can escape it.
      () => writeFile(state, "FROZEN"),
      () => this.thaw(),
    );
  }

  override thaw(): Promise<void> {
    const directory = this.#paths["freezer"];
    if (directory !== undefined) {
      for (const member of withDescendants(directory)) {
        if (isFrozen(member)) writeFile(`${member}/freezer.state`, "THAWED");
      }
    }
    // Somebody else may have frozen it there.
    if (this.#paths[""] !== undefined) thawUnified(this.#paths[""]);
    return Promise.resolve();
  }

  /** Init is born in the cgroup of v2, and may be on its way to the others. */
  override async killAll(): Promise<void> {
    const directory = this.#paths[""];
    const frozen = () => Promise.resolve(); // by the hierarchy of v1, if at all
    if (directory !== undefined) {
      await killMembers(this.runtime, {
        directory,
        pids: () => pidsBelow(directory),
        freeze: frozen,
        thaw: frozen,
      });
    }
    await super.killAll();
  }

  protected override mainDirectory(): string | undefined {
    return mainDirectory(this.#paths);
  }
}

function isFrozen(directory: string): boolean {
  const state = readFile(`${directory}/freezer.state`);
  return state !== undefined && state !== "THAWED";
}

/** A cpuset cgroup takes no process before it has cpus and memory nodes (cpuset(7)). */
export function inheritCpuset(directory: string, mountPoint: string): void {
  const parent = directory.slice(0, directory.lastIndexOf("/"));
  for (const name of ["cpuset.cpus", "cpuset.mems"]) {
    if (readFile(`${directory}/${name}`) !== "") continue;
    let value = readFile(`${parent}/${name}`);
    if (value === "" && parent.length > mountPoint.length) {
      inheritCpuset(parent, mountPoint);
      value = readFile(`${parent}/${name}`);
    }
    if (value) writeFile(`${directory}/${name}`, value, undefined, cpusetHint);
  }
}

function cpusetHint(errno: number | undefined): string | undefined {
  return errno === EINVAL ? `a sibling has them for itself (${quote("cpu_exclusive")})` : undefined;
}

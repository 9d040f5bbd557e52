/** cgroup v2 by plain files (Documentation/admin-guide/cgroup-v2.rst of Linux). */

import { ENODEV, ENOENT } from "../../base/errno.ts";
import { errnoOf, isRuntsError, quote, RuntsError } from "../../base/errors.ts";
import { isWithin } from "../../base/paths.ts";
import type { Resources } from "../../spec/types/config.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { applyV2, updateV2 } from "./apply.ts";
import { enableControllers } from "./controllers.ts";
import {
  asksLimits,
  DirectoryCgroup,
  refuseFrozen,
  refuseUnfit,
  waitFrozen,
} from "../directory.ts";
import { undoDirectories } from "../clear.ts";
import { isPermission, makeDirectory, readFile, writeFile } from "../files.ts";
import { thawUnified } from "../freezer.ts";
import { cgroupsOf } from "../process.ts";
import { below, checkControllers, type SubCgroups } from "../below.ts";
import type { CgroupJoin, CgroupRecord, Preparation, Tolerance } from "../manager.ts";

/** What the kernel lets a cgroup's owner write (the spec's list when there is no such file). */
const DELEGATE_FILE = "/sys/kernel/cgroup/delegate";
const DELEGATE = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";

/** Manager for hosts with the unified hierarchy alone. */
export class CgroupV2 extends DirectoryCgroup {
  #directory: string | undefined;
  readonly #mountPoint: string;

  constructor(
    runtime: Runtime,
    mountPoint: string,
    directory: string,
    tolerance?: Tolerance,
  ) {
    super(runtime, tolerance);
    this.#mountPoint = mountPoint;
    this.#directory = directory;
  }

  override get record(): CgroupRecord {
    const directory = this.#directory;
    if (directory === undefined) return { kind: "disabled", path: "", paths: {} };
    return { kind: "v2", path: directory.slice(this.#mountPoint.length), paths: { "": directory } };
  }

  override async prepare(
    resources: Resources,
    { adopt = false, newborn }: Preparation = {},
  ): Promise<CgroupJoin> {
    const directory = this.#directory;
    if (directory === undefined) return this.joinFiles();
    const made: string[] = [];
    try {
      const isNew = makeDirectory(directory, this.#mountPoint, made);
      if (!adopt) (isNew ? refuseFrozen : refuseUnfit)(directory);
      const refused = enableControllers(this.#mountPoint, directory);
      await applyV2(directory, resources, {
        refused,
        rootless: this.tolerance.rootless,
        uid: this.runtime.caller.uid,
      });
      newborn?.ready();
    } catch (error) {
      await newborn?.end();
      undoDirectories(made);
      // What is left there belongs to somebody else, and is not for `remove`.
      this.#directory = undefined;
      if (!this.tolerance.optional || !isPermission(error)) throw error;
      if (asksLimits(resources)) throw needed(error);
    }
    return this.joinFiles();
  }

  override joinFiles(sub?: SubCgroups, initPid?: number): CgroupJoin {
    checkControllers(sub ?? {}, {});
    if (this.#directory === undefined) return { files: [], moved: false };
    const path = sub?.[""];
    const own = path === undefined ? this.#directory : below(this.#directory, path);
    const divided = path === undefined && initPid !== undefined &&
      readFile(`${own}/cgroup.subtree_control`) !== "";
    const there = divided ? cgroupsOf(this.runtime, initPid)[""] : undefined;
    const isBelow = there !== undefined && there !== this.#directory &&
      isWithin(there, this.#directory!);
    return { bornIn: isBelow ? there! : own, files: [], moved: false };
  }

  override own(hostUid: number, directory = this.#directory): void {
    if (directory === undefined) return;
    const names = (readFile(DELEGATE_FILE) ?? DELEGATE).split("\n");
    for (const file of [directory, ...names.map((name) => `${directory}/${name}`)]) {
      try {
        Deno.chownSync(file, hostUid, null);
      } catch (error) {
        // Files of controllers that are not enabled are absent.
        if (errnoOf(error) === ENOENT) continue;
        throw new RuntsError(`give ${quote(file)} to user ${hostUid}`, { cause: error });
      }
    }
  }

  override async update(resources: Resources): Promise<void> {
    const directory = this.#directory;
    if (directory === undefined) return;
    await updateV2(directory, resources, this.runtime.caller.uid);
  }

  override frozen(): boolean {
    return this.#directory !== undefined && isFrozen(this.#directory);
  }

  override async freeze(): Promise<void> {
    const directory = this.#directory;
    if (directory === undefined) {
      throw new RuntsError("freeze the container", { cause: "it has no cgroup of its own" });
    }
    writeFile(`${directory}/cgroup.freeze`, "1");
    const events = `${directory}/cgroup.events`;
    const done = () => /^frozen 1$/m.test(readFile(events) ?? "");
    await waitFrozen(directory, done, () => {}, () => this.thaw());
  }

  override thaw(): Promise<void> {
    if (this.#directory !== undefined) thawUnified(this.#directory);
    return Promise.resolve();
  }

  /** cgroup.kill (Linux 5.14) also reaches processes that are frozen or just being forked. */
  override async killAll(): Promise<void> {
    if (this.#directory === undefined) return;
    try {
      writeFile(`${this.#directory}/cgroup.kill`, "1");
    } catch (error) {
      // It was removed meanwhile, and so had nobody in it: systemd removes a scope that is empty.
      if (errnoOf(error) === ENODEV) return;
      if (errnoOf(error) !== ENOENT) throw error;
      await super.killAll();
    }
  }

  protected override mainDirectory(): string | undefined {
    return this.#directory;
  }
}

/** The limits of the configuration are why runts cannot do without a cgroup. */
function needed(error: unknown): unknown {
  return isRuntsError(error) ? error.with({ configPath: "linux.resources" }) : error;
}

function isFrozen(directory: string): boolean {
  return readFile(`${directory}/cgroup.freeze`) === "1";
}

/** The manager that makes nothing: `--cgroup-manager=disabled`, or rootless without permission. */

import type { Resources } from "../spec/types/config.ts";
import { RuntsError } from "../base/errors.ts";
import type { SubCgroups } from "./below.ts";
import type { CgroupJoin, CgroupManager, CgroupRecord } from "./manager.ts";

const NOWHERE: CgroupJoin = { files: [], moved: false };

/** A container without a cgroup of its own. */
export class DisabledCgroup implements CgroupManager {
  readonly record: CgroupRecord = { kind: "disabled", path: "", paths: {} };

  prepare(_resources: Resources): Promise<CgroupJoin> {
    return Promise.resolve(NOWHERE);
  }
  attach(_pid: number): Promise<void> {
    return Promise.resolve();
  }
  joinFiles(sub?: SubCgroups, _initPid?: number): CgroupJoin {
    if (Object.keys(sub ?? {}).length > 0) throw without("enter a cgroup below it");
    return NOWHERE;
  }
  own(_hostUid: number): void {}
  update(_resources: Resources): Promise<void> {
    return Promise.reject(without("change its limits"));
  }
  frozen(): boolean {
    return false;
  }
  freeze(): Promise<void> {
    return Promise.reject(without("pause it"));
  }
  thaw(): Promise<void> {
    return Promise.resolve();
  }
  pids(): number[] {
    return [];
  }
  killAll(): Promise<void> {
    return Promise.resolve();
  }
  remove(): Promise<void> {
    return Promise.resolve();
  }
}

function without(wish: string): RuntsError {
  return new RuntsError(`cannot ${wish}`, { cause: "the container has no cgroup of its own" });
}

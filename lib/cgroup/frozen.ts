/** Whether a container is paused, by one small read: `state` and `list` need nothing more. */

import { readFile } from "../base/files.ts";
import type { CgroupRecord } from "./manager.ts";

/** Looks at the freezer of the recorded cgroup, or, without a record, at that of the process. */
export function frozenByRecord(record: CgroupRecord | undefined, pid: number): boolean {
  if (record?.kind === "disabled") return false;
  const paths = record?.paths ?? pathsOfProcess(pid);
  if (paths["freezer"] !== undefined) {
    const state = readFile(`${paths["freezer"]}/freezer.state`);
    if (state?.startsWith("FR")) return true; // FROZEN or FREEZING, perhaps by a cgroup above it
  }
  const unified = paths[""];
  if (unified === undefined) return false;
  return readFile(`${unified}/cgroup.freeze`)?.startsWith("1") === true ||
    readFile(`${unified}/cgroup.events`)?.includes("frozen 1") === true;
}

function pathsOfProcess(pid: number): Record<string, string> {
  const paths: Record<string, string> = {};
  for (const line of (readFile(`/proc/${pid}/cgroup`) ?? "").split("\n")) {
    const [, controllers, ...path] = line.split(":");
    if (controllers === "freezer") paths["freezer"] = `/sys/fs/cgroup/freezer${path.join(":")}`;
    if (controllers === "") paths[""] = `/sys/fs/cgroup${path.join(":")}`;
  }
  return paths;
}

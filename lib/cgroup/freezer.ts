/** Which cgroup keeps processes frozen: each freezes those below it, too. */

import { isDirectory } from "../base/files.ts";
import { readFile, withDescendants, writeFile } from "./files.ts";
import { detectHost, hierarchyOf } from "./hierarchies.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CgroupJoin } from "./manager.ts";
import { cgroupsOf } from "./process.ts";

/** The hierarchies that can freeze: that of v1, and v2. */
export const FREEZERS = ["freezer", ""];

/**
 * The nearest cgroup from this one upwards that was told to freeze; this one need not exist.
 * Undefined when none was.
 */
export function freezerOf(directory: string): string | undefined {
  for (let at = directory; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const told = readFile(`${at}/freezer.self_freezing`) ?? readFile(`${at}/cgroup.freeze`);
    if (told === "1") return at;
  }
  return undefined;
}

/** The same for directories by controller. */
function freezerAmong(paths: Readonly<Record<string, string>>): string | undefined {
  for (const name of FREEZERS) {
    const directory = paths[name];
    const found = directory === undefined ? undefined : freezerOf(directory);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The cgroup that keeps a process frozen, wherever the process has gone. */
export function freezerOfProcess(runtime: Runtime, pid: number): string | undefined {
  return freezerAmong(cgroupsOf(runtime, pid));
}

/**
 * Whether a cgroup is frozen, or going to be, by itself or by one above it. Undefined where the
 * kernel does not tell: there is no such cgroup, or its hierarchy has no freezer.
 */
export function isHeld(directory: string): boolean | undefined {
  const state = readFile(`${directory}/freezer.state`);
  if (state !== undefined) return state !== "THAWED";
  const told = readFile(`${directory}/cgroup.freeze`);
  if (told !== "0") return told === undefined ? undefined : true;
  return /^frozen 1$/m.test(readFile(`${directory}/cgroup.events`) ?? "");
}

/** The cgroup that keeps whoever joins so from running. */
export function freezerOfJoin(
  runtime: Runtime,
  { bornIn, files }: CgroupJoin,
): string | undefined {
  const mountPoint = hierarchyOf(detectHost(runtime), "freezer")?.mountPoint;
  const file = mountPoint && files.find((path) => path.startsWith(`${mountPoint}/`));
  for (const directory of [bornIn, file && file.slice(0, file.lastIndexOf("/"))]) {
    if (directory && isHeld(directory)) return freezerOf(directory) ?? directory;
  }
  return undefined;
}

/** Thaws a cgroup of v2 and those below it. */
export function thawUnified(directory: string): void {
  for (const member of withDescendants(directory)) {
    try {
      if (readFile(`${member}/cgroup.freeze`) === "1") writeFile(`${member}/cgroup.freeze`, "0");
    } catch (error) {
      // systemd removes a scope as soon as its last process has ended.
      if (isDirectory(member)) throw error;
    }
  }
}

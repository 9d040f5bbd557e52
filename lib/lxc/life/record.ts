/**
 * system.json in the state directory: what a system container was started from. Whoever sees to its end,
 * or starts it anew, goes by that, and not by files that may have changed since.
 */

import { isWithin } from "../../base/paths.ts";
import { RuntsError } from "../../base/errors.ts";
import { statFile } from "../../base/files.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { formatJson, parseJson } from "../../spec/json/json.ts";
import type { DeviceRule } from "../../spec/types/config.ts";
import { StateDirectory } from "../../state/directory.ts";
import { canonicalPath, checkName, type Choice, lxcPath } from "../place.ts";
import type { MadeDevice } from "./network.ts";
import type { SystemPlan } from "../plan/types.ts";

const FILE = "system.json";

/** What is kept of a system container that runs. */
export interface SystemRecord {
  readonly plan: SystemPlan;
  /** Network devices, in the order in which they were made. */
  readonly devices?: readonly MadeDevice[];
  /** Descriptors of its monitor that hold its namespaces, by LXC's names of those. */
  readonly held?: Readonly<Record<string, number>>;
  /** What `lxc device` has allowed beside the plan. */
  readonly addedDevices?: readonly DeviceRule[];
}

/** Whether a container is a system container. */
export function isSystem(runtime: Runtime, id: string): boolean {
  return statFile(new StateDirectory(runtime, id).file(FILE)) !== undefined;
}

/** Writes it down in one step. */
export function writeSystem(directory: StateDirectory, record: SystemRecord): void {
  directory.replace(FILE, formatJson(record));
}

/** Reads it. Throws RuntsError where there is none. */
export function readSystem(directory: StateDirectory): SystemRecord {
  const text = directory.readText(FILE);
  if (text === undefined) throw new RuntsError("it is not a system container");
  // Written by runts, for itself.
  return parseJson(text, directory.file(FILE)) as SystemRecord;
}

/** The plan of a system container; undefined for what is none. */
export function systemPlanIfAny(runtime: Runtime, id: string): SystemPlan | undefined {
  return isId(id) && isSystem(runtime, id)
    ? readSystem(new StateDirectory(runtime, id)).plan
    : undefined;
}

/** Other things stand in a state root, too. */
function isId(name: string): boolean {
  return !name.startsWith(".");
}

/**
 * The id of a container: its name, and for one outside of the system's directory of containers a number
 * that stands for where it is.
 */
export function systemId(runtime: Runtime, lxcpath: string, name: string): string {
  return systemIds(runtime, lxcpath)(name);
}

/** The ids of the containers of a directory, by their names. */
export function systemIds(runtime: Runtime, lxcpath: string): (name: string) => string {
  const [usual, path] = [canonicalPath(lxcPath(runtime, undefined)), canonicalPath(lxcpath)];
  const suffix = isWithin(usual, path) ? "" : `+${hash(path)}`;
  return (name) => name + suffix;
}

/** The id of the container that a command line names. Throws where none is named. */
export function systemIdOf(runtime: Runtime, { name, lxcpath }: Choice): string {
  return systemId(runtime, lxcPath(runtime, lxcpath), checkName(name));
}

/** FNV-1a, 32 bits: eight digits. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value.toString(16).padStart(8, "0");
}

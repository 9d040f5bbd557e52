/** A cgroup below the scope that the container's processes live in. Only for v2 with systemd. */

import { quote, RuntsError } from "../base/errors.ts";
import { enableControllers } from "./v2/controllers.ts";
import { makeDirectory, writeFile } from "./files.ts";

const SUBGROUP = "run.oci.systemd.subgroup";
const DELEGATED = "run.oci.delegate-cgroup";
/** The name where only the other annotation is given, as crun has it. */
const USUAL = "container";
const NAME_MAX = 255;
const NOT_PLAIN = "it is no plain name";

type Annotations = Readonly<Record<string, string>> | undefined;

/** Its name by the annotations; undefined if there is to be none. */
export function subgroupOf(annotations: Annotations): string | undefined {
  return nameOf(annotations, SUBGROUP) ??
    (annotations?.[SUBGROUP] === undefined && nameOf(annotations, DELEGATED) ? USUAL : undefined);
}

/** The name of the cgroup below it that is the container's to manage; undefined if there is to be none. */
export function delegatedOf(annotations: Annotations): string | undefined {
  return subgroupOf(annotations) && nameOf(annotations, DELEGATED);
}

function nameOf(annotations: Annotations, annotation: string): string | undefined {
  const name = annotations?.[annotation];
  if (!name) return undefined;
  const refuse = (cause: string) =>
    new RuntsError(`use cgroup ${quote(name)}`, { configPath: pathOf(annotation), cause });
  if (!isPlain(name)) throw refuse(NOT_PLAIN);
  if (new TextEncoder().encode(name).length > NAME_MAX) {
    throw refuse(`it is longer than ${NAME_MAX} bytes`);
  }
  return name;
}

function pathOf(annotation: string): string {
  return `annotations[${quote(annotation)}]`;
}

/** Throws when the name of a record, which can be damaged or made up, leads elsewhere. */
export function checkRecordedSubgroup(name: string | undefined): void {
  if (name === undefined || isPlain(name)) return;
  throw new RuntsError(`use recorded cgroup ${quote(name)}`, { cause: NOT_PLAIN });
}

function isPlain(name: string): boolean {
  return !name.includes("/") && name !== "." && name !== "..";
}

/**
 * Makes it, moves the process there and passes the controllers on to it, in this order: the kernel
 * gives none to the children of a cgroup that holds processes.
 */
export function enterSubgroup(mountPoint: string, directory: string, pid: number): void {
  enter(mountPoint, directory, pid, SUBGROUP, "the scope has a file or a cgroup of this name");
}

/** The same for the cgroup that is delegated, below it. */
export function enterDelegated(mountPoint: string, directory: string, pid: number): void {
  enter(mountPoint, directory, pid, DELEGATED, "the cgroup above has a file of this name");
}

function enter(
  mountPoint: string,
  directory: string,
  pid: number,
  annotation: string,
  taken: string,
): void {
  if (!makeDirectory(directory, mountPoint, [])) {
    throw new RuntsError(`make cgroup ${quote(directory)}`, {
      configPath: pathOf(annotation),
      cause: taken,
    });
  }
  writeFile(`${directory}/cgroup.procs`, String(pid));
  enableControllers(mountPoint, directory);
}

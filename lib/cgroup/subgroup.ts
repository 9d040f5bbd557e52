/** A cgroup below the scope that the container's processes live in. Only for v2 with systemd. */

import { quote, RuntsError } from "../base/errors.ts";
import { enableControllers } from "./v2/controllers.ts";
import { makeDirectory, writeFile } from "./files.ts";

const ANNOTATION = "run.oci.systemd.subgroup";
const NAME_MAX = 255;
const NOT_PLAIN = "it is no plain name";

/** Its name by the annotation; undefined if there is to be none. */
export function subgroupOf(
  annotations: Readonly<Record<string, string>> | undefined,
): string | undefined {
  const name = annotations?.[ANNOTATION];
  if (!name) return undefined;
  const refuse = (cause: string) =>
    new RuntsError(`use cgroup ${quote(name)}`, {
      configPath: `annotations[${quote(ANNOTATION)}]`,
      cause,
    });
  if (!isPlain(name)) throw refuse(NOT_PLAIN);
  if (new TextEncoder().encode(name).length > NAME_MAX) {
    throw refuse(`it is longer than ${NAME_MAX} bytes`);
  }
  return name;
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
  if (!makeDirectory(directory, mountPoint, [])) {
    throw new RuntsError(`make cgroup ${quote(directory)}`, {
      configPath: `annotations[${quote(ANNOTATION)}]`,
      cause: "the scope has a file or a cgroup of this name",
    });
  }
  writeFile(`${directory}/cgroup.procs`, String(pid));
  enableControllers(mountPoint, directory);
}

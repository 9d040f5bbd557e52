/** Which container is meant, and where it is. */

import { absolute } from "../base/absolute.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { systemValue } from "./system_conf.ts";

/** Which container, as a command line says it. */
export interface Choice {
  readonly name?: string | undefined;
  /** Directory of the containers; default: that of the system's file. */
  readonly lxcpath?: string | undefined;
  /** The configuration, if not that of the container's directory. */
  readonly rcfile?: string | undefined;
  /** `KEY=VALUE` each, after those of the file. */
  readonly define?: readonly string[] | undefined;
}

/** Absolute path of the directory of the containers. */
export function lxcPath({ caller }: Runtime, given: string | undefined): string {
  return absolute(caller, given ?? systemValue(caller, "lxc.lxcpath")!);
}

/** The path of a directory of containers without symlinks, so that all its spellings are one. */
export function canonicalPath(lxcpath: string): string {
  try {
    return Deno.realPathSync(lxcpath);
  } catch {
    return lxcpath; // it is not there
  }
}

/** Throws RuntsError for what cannot be the name of a container. */
export function checkName(name: string | undefined): string {
  if (name === undefined) throw new RuntsError("no container is named", { hint: "use -n NAME" });
  if (name !== "" && !name.includes("/") && !name.startsWith(".")) return name;
  throw new RuntsError(`${quote(name)} is not the name of a container`);
}

/** Whether a container is defined: its directory has a configuration. */
export function isDefined(path: string, name: string): boolean {
  return statFile(`${path}/${name}/config`)?.isFile === true;
}

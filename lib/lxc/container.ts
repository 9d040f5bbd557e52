/** Finds a container's configuration on the host, and reads it. */

import { absolute } from "../base/absolute.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type Finding, findingText } from "./config/place.ts";
import { hostFiles, type ReadConfig, readConfig } from "./config/read.ts";
import { checkName, type Choice, lxcPath } from "./place.ts";

/** A container and its configuration. */
export interface Opened extends ReadConfig {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** Absolute path of the configuration. */
  readonly file: string;
}

/**
 * Reads a container's configuration, whatever is wrong with it. Throws RuntsError when it is not
 * there.
 */
export async function openContainer(
  runtime: Runtime,
  { name: given, lxcpath, rcfile, define = [] }: Choice,
): Promise<Opened> {
  const name = checkName(given);
  const directory = `${lxcPath(runtime, lxcpath)}/${name}`;
  const file = rcfile === undefined ? `${directory}/config` : absolute(runtime.caller, rcfile);
  if (statFile(file) === undefined) {
    throw new RuntsError(
      rcfile === undefined ? `container ${quote(name)} does not exist` : "no configuration",
      { cause: new Error(`there is no file ${file}`) },
    );
  }
  const read = await readConfig({ file, define }, hostFiles(runtime.files.read));
  return { name, directory, file, ...read };
}

/** Throws what is wrong with a configuration: the first finding, and how many there are. */
export function refuse(findings: readonly Finding[]): void {
  const [first, ...others] = findings;
  if (first === undefined) return;
  const noun = others.length === 1 ? "finding" : "findings";
  const more = others.length === 0
    ? ""
    : ` (and ${others.length} more ${noun}, see "runts lxc check")`;
  throw new RuntsError(findingText(first) + more);
}

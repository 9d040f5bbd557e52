/** Where the files of a monitor are. */

import { statFile } from "../base/files.ts";
import type { StateDirectory } from "../state/directory.ts";

/** The record of all, lib/state/supervised.ts. */
const SUPERVISED = "supervised.json";

/** Whether a monitor looks after the container, or did. */
export function isSupervised(directory: StateDirectory): boolean {
  return statFile(directory.file(SUPERVISED)) !== undefined;
}

/** Its socket, for brains. */
export function monitorSocket(directory: StateDirectory): string {
  return directory.file("monitor.sock");
}

/** Directory of all processes. */
function processesDirectory(directory: StateDirectory): string {
  return directory.file("processes");
}

/** Directory of one. */
export function processDirectory(directory: StateDirectory, name: string): string {
  return `${processesDirectory(directory)}/${name}`;
}

/** The names of all processes that there is a place for. */
export function processNames(directory: StateDirectory): string[] {
  try {
    return Array.from(Deno.readDirSync(processesDirectory(directory)), ({ name }) => name);
  } catch {
    return []; // there is none yet
  }
}

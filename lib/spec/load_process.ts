/** The process document of `exec --process`. */

import { checked, readText } from "./json/document.ts";
import type { Process } from "./types/config.ts";
import { validateProcess } from "./check/process.ts";

/** Reads and validates it. Throws RuntsError that names the file. */
export function loadProcess(file: string): Process {
  return checked(readText(file), file, validateProcess) as Process;
}

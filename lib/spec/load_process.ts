/** The process document of `exec --process`. */

import { checked, readText } from "./document.ts";
import type { Process } from "./types.ts";
import { validateProcess } from "./validate_process.ts";

/** Reads and validates it. Throws RuntsError that names the file. */
export function loadProcess(file: string): Process {
  return checked(readText(file), file, validateProcess) as Process;
}

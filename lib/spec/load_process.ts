/** The process document of `exec --process`. */

import type { CallersFiles } from "../base/document_file.ts";
import { checked, readText } from "./json/document.ts";
import type { Process } from "./types/config.ts";
import { validateProcess } from "./check/process.ts";

/** Reads and validates it. Throws RuntsError that names the file. */
export async function loadProcess(files: CallersFiles, file: string): Promise<Process> {
  return checked(await readText(files, file), file, validateProcess) as Process;
}

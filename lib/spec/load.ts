/** config.json and resources: read, parsed and validated. */

import type { CallersFiles } from "../base/document_file.ts";
import { ENOENT, ENOTDIR } from "../base/errno.ts";
import { pathFrom } from "../base/paths.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { isDirectory } from "../base/files.ts";
import { checked, readText } from "./json/document.ts";
import type { Resources, Spec } from "./types/config.ts";
import { validate, validateResources } from "./check/config.ts";

/** The path of the configuration: `config.json`, or `configFile` (absolute, or below the bundle). */
export function configPath(bundle: string, configFile = "config.json"): string {
  return pathFrom(bundle, configFile);
}

/** The text of the configuration `file` of a bundle. Throws RuntsError that names the file. */
export async function readConfig(
  files: CallersFiles,
  bundle: string,
  file: string,
): Promise<string> {
  try {
    return await readText(files, file);
  } catch (error) {
    if (!(error instanceof RuntsError)) throw error;
    const hint = errnoOf(error) === ENOENT
      ? missing(bundle)
      : errnoOf(error) === ENOTDIR && !isDirectory(bundle)
      ? `the bundle ${quote(bundle)} is not a directory`
      : undefined;
    throw hint === undefined ? error : error.with({ hint });
  }
}

function missing(bundle: string): string {
  try {
    Deno.lstatSync(bundle);
    return 'write one with "runts spec"';
  } catch {
    return `the bundle ${quote(bundle)} does not exist`;
  }
}

/**
 * Parses and validates a config.json; `file` is what errors call it.
 * Throws {@linkcode SpecError} if it breaks the specification.
 */
export function parseSpec(text: string, file: string): Spec {
  return checked(text, file, validate) as Spec;
}

/** Parses and validates a resources document; `source` is what errors call it. */
export function parseResources(text: string, source: string): Resources {
  return checked(text, source, validateResources) as Resources;
}

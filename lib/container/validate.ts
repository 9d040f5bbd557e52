/** `validate`: everything that a document says against the specification. */

import type { Finding, Guess } from "../spec/check/findings.ts";
import { readText } from "../spec/json/document.ts";
import { configPath, readConfig } from "../spec/load.ts";
import { parseJson } from "../spec/json/json.ts";
import { validate, validateResources } from "../spec/check/config.ts";
import { validateProcess } from "../spec/check/process.ts";
import type { Resources, Spec } from "../spec/types/config.ts";
import { runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";
import { absolute } from "../base/absolute.ts";
import { furtherFindings, furtherOfResources } from "./validate_further.ts";

/** What {@linkcode validateDocument} looks at. */
export interface ValidateOptions {
  /** Directory of the bundle; default: the working directory. */
  readonly bundle?: string;
  /** The configuration, if not config.json of the bundle. */
  readonly config?: string;
  /** A process document (of `exec`) to look at instead. */
  readonly process?: string;
  /** A resources document (of `update`) to look at instead. */
  readonly resources?: string;
  /**
   * Makes findings of unknown properties that were meant to be others; without it they are ignored. Gets
   * the unknown name and those that are known there.
   */
  readonly meant?: Guess;
}

/** What is wrong with one document. */
export interface Validated {
  /** Its absolute path. */
  readonly file: string;
  /** Empty when nothing is wrong. */
  readonly findings: readonly Finding[];
}

/**
 * Looks at a document; throws RuntsError when it cannot be read or is no JSON.
 */
export async function validateDocument(
  given: RuntimeOrSettings = {},
  options: ValidateOptions = {},
): Promise<Validated> {
  const { caller, files } = runtimeOf(given);
  const { bundle = ".", config, process, resources, meant } = options;
  const other = process ?? resources;
  if (other !== undefined) {
    const file = absolute(caller, other);
    const document = parseJson(await readText(files, file), file);
    if (process !== undefined) return { file, findings: validateProcess(document, meant) };
    const findings = validateResources(document, meant);
    return { file, findings: further(findings, () => furtherOfResources(document as Resources)) };
  }
  const directory = absolute(caller, bundle);
  const file = configPath(directory, config === undefined ? undefined : absolute(caller, config));
  const document = parseJson(await readConfig(files, directory, file), file);
  const findings = validate(document, meant);
  return { file, findings: further(findings, () => furtherFindings(document as Spec)) };
}

/** With what only a document of the right types can be asked for. */
function further(findings: Finding[], more: () => Finding[]): Finding[] {
  return findings.some(({ rule }) => rule !== "unknown") ? findings : [...findings, ...more()];
}

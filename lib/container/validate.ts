/** `validate`: everything that a document says against the specification. */

import type { Finding } from "../spec/check/findings.ts";
import { readText } from "../spec/json/document.ts";
import { configPath, readConfig } from "../spec/load.ts";
import { parseJson } from "../spec/json/json.ts";
import { validate, validateResources } from "../spec/check/config.ts";
import { validateProcess } from "../spec/check/process.ts";
import { absolute } from "../base/absolute.ts";

export interface ValidateOptions {
  /** Directory of the bundle; default: the working directory. */
  readonly bundle?: string;
  /** The configuration, if not config.json of the bundle. */
  readonly config?: string;
  /** A process document (of `exec`) to look at instead. */
  readonly process?: string;
  /** A resources document (of `update`) to look at instead. */
  readonly resources?: string;
}

/** What is wrong with one document. */
export interface Validated {
  readonly file: string;
  /** Empty when nothing is wrong. */
  readonly findings: readonly Finding[];
}

/** Looks at a document; throws RuntsError when it cannot be read or is no JSON. */
export function validateDocument(options: ValidateOptions = {}): Validated {
  const { bundle = ".", config, process, resources } = options;
  const other = process ?? resources;
  if (other !== undefined) {
    const check = process === undefined ? validateResources : validateProcess;
    const file = absolute(other);
    return { file, findings: check(parseJson(readText(file), file)) };
  }
  const directory = absolute(bundle);
  const file = configPath(directory, config === undefined ? undefined : absolute(config));
  return { file, findings: validate(parseJson(readConfig(directory, file), file)) };
}

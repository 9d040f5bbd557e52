/** `validate`: everything that a document says against the specification, and what is hardly meant. */

import type { Finding, Guess } from "../spec/check/findings.ts";
import { readText } from "../spec/json/document.ts";
import { configPath, readConfig } from "../spec/load.ts";
import { parseJson } from "../spec/json/json.ts";
import { validate, validateResources } from "../spec/check/config.ts";
import { validateProcess } from "../spec/check/process.ts";
import { warningsOf, warningsOfProcess } from "../spec/check/warnings.ts";
import type { Process, Resources, Spec } from "../spec/types/config.ts";
import { type Runtime, runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";
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
  /** Guesses what unknown properties were meant to be: gets the name, and those that are known there. */
  readonly meant?: Guess;
  /** Looks at this host, too: whether what is named is there, and what its kernel takes. */
  readonly host?: boolean;
}

/** What is wrong with one document. */
export interface Validated {
  /** Its absolute path. */
  readonly file: string;
  /** Empty when nothing is wrong. */
  readonly findings: readonly Finding[];
  /** What may be right and is hardly meant; of a document with findings, unknown properties alone. */
  readonly warnings: readonly Finding[];
}

/**
 * Looks at a document; throws RuntsError when it cannot be read or is no JSON.
 */
export async function validateDocument(
  given: RuntimeOrSettings = {},
  options: ValidateOptions = {},
): Promise<Validated> {
  const runtime = runtimeOf(given);
  const { caller, files } = runtime;
  const { bundle = ".", config, process, resources, meant = () => undefined } = options;
  const other = process ?? resources;
  if (other !== undefined) {
    const file = absolute(caller, other);
    const document = parseJson(await readText(files, file), file);
    if (process === undefined) {
      const further = () => furtherOfResources(document as Resources);
      return { file, ...await sorted(validateResources(document, meant), further) };
    }
    const warnings = () => processWarnings(document as Process, options);
    return { file, ...await sorted(validateProcess(document, meant), () => [], warnings) };
  }
  const directory = absolute(caller, bundle);
  const file = configPath(directory, config === undefined ? undefined : absolute(caller, config));
  const document = parseJson(await readConfig(files, directory, file), file);
  const spec = document as Spec;
  const warnings = () => specWarnings(runtime, spec, directory, options);
  return {
    file,
    ...await sorted(validate(document, meant), () => furtherFindings(spec), warnings),
  };
}

/** Faults apart from warnings, with what only a document of the right types can be asked for. */
async function sorted(
  found: readonly Finding[],
  further: () => Finding[],
  warn: () => Finding[] | Promise<Finding[]> = () => [],
): Promise<Pick<Validated, "findings" | "warnings">> {
  const unknown = found.filter(({ rule }) => rule === "unknown");
  if (unknown.length < found.length) {
    return { findings: found.filter(({ rule }) => rule !== "unknown"), warnings: unknown };
  }
  return { findings: further(), warnings: [...unknown, ...await warn()] };
}

async function specWarnings(
  runtime: Runtime,
  spec: Spec,
  bundle: string,
  { host }: ValidateOptions,
): Promise<Finding[]> {
  const warnings = warningsOf(spec);
  if (!host) return warnings;
  const { hostWarnings } = await import("./validate_host.ts");
  const { findings, taken } = await hostWarnings(runtime, spec, bundle);
  const known = warnings.filter(({ path }) => !taken.includes(path));
  return [...known, ...findings.filter(({ path }) => !known.some((one) => one.path === path))];
}

async function processWarnings(process: Process, { host }: ValidateOptions): Promise<Finding[]> {
  const warnings = warningsOfProcess(process);
  if (!host) return warnings;
  const { hostWarningsOfProcess } = await import("./validate_host.ts");
  return [...warnings, ...hostWarningsOfProcess(process)];
}

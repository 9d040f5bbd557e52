/** config.json and its relatives: read, parsed and validated. */

import { ENOENT } from "../errno.ts";
import { errnoOf, type ErrorData, quote, RuntsError } from "../errors.ts";
import { type Finding, findingText } from "./findings.ts";
import { parseJson } from "./json.ts";
import type { Process, Resources, Spec } from "./types.ts";
import { validate, validateProcess, validateResources } from "./validate.ts";

/** A document that breaks the specification. The message has the first finding and counts the rest. */
export class SpecError extends RuntsError {
  constructor(
    /** The file, as the message names it. */
    readonly file: string,
    /** All findings, at least one. */
    readonly findings: readonly Finding[],
    data: ErrorData = {},
  ) {
    super(summary(file, findings), data);
  }

  override with(data: ErrorData): SpecError {
    return new SpecError(this.file, this.findings, { ...data, ...this.data });
  }
}

function summary(file: string, [first, ...others]: readonly Finding[]): string {
  const text = first ? `${file}: ${findingText(first)}` : file;
  if (others.length === 0) return text;
  const noun = others.length === 1 ? "finding" : "findings";
  return `${text} (and ${others.length} more ${noun}, see "runts validate")`;
}

/** The path of the configuration: `config.json`, or `configFile` (absolute, or below the bundle). */
export function configPath(bundle: string, configFile = "config.json"): string {
  return configFile.startsWith("/") ? configFile : `${bundle.replace(/\/+$/, "")}/${configFile}`;
}

/**
 * Reads and validates the configuration of a bundle.
 * @param bundle Absolute path of the bundle directory.
 * @param configFile File to read instead of config.json: absolute, or relative to the bundle.
 * Throws RuntsError that names the file; {@linkcode SpecError} if it breaks the specification.
 */
export function loadSpec(bundle: string, configFile?: string): Spec {
  const file = configPath(bundle, configFile);
  return parseSpec(readConfig(bundle, file), file);
}

/** The text of a configuration file, as {@linkcode loadSpec} reads it. */
export function readConfig(bundle: string, file: string): string {
  try {
    return readText(file);
  } catch (error) {
    if (errnoOf(error) !== ENOENT || !(error instanceof RuntsError)) throw error;
    throw error.with({ hint: missing(bundle) });
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

/** Parses and validates a config.json; `file` is what errors call it. Errors as of `loadSpec`. */
export function parseSpec(text: string, file: string): Spec {
  return checked(text, file, validate) as Spec;
}

/** Reads and validates a process document (`exec --process`). Errors as of `loadSpec`. */
export function loadProcess(file: string): Process {
  return checked(readText(file), file, validateProcess) as Process;
}

/** Parses and validates a resources document; `source` is what errors call it. */
export function parseResources(text: string, source: string): Resources {
  return checked(text, source, validateResources) as Resources;
}

function checked(text: string, file: string, check: (value: unknown) => Finding[]): unknown {
  const value = parseJson(text, file);
  const findings = check(value);
  if (findings.length > 0) throw new SpecError(file, findings);
  return value;
}

/** Reads a UTF-8 file. Throws RuntsError `read "FILE"` with the cause. */
export function readText(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(file));
  } catch (error) {
    const cause = error instanceof TypeError ? "not UTF-8 text" : error;
    throw new RuntsError(`read ${quote(file)}`, { cause });
  }
}

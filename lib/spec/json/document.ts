/** JSON documents of any kind: read, parsed and validated. */

import type { CallersFiles } from "../../base/document_file.ts";
import { type ErrorData, numberOf, quote, RuntsError } from "../../base/errors.ts";
import { type Finding, findingText } from "../check/findings.ts";
import { formatJson, parseJson } from "./json.ts";

/** A document that breaks the specification. The message has the first finding and counts the rest. */
export class SpecError extends RuntsError {
  /** The message follows from the findings. */
  constructor(
    /** The file, as the message names it. */
    readonly file: string,
    /** All findings, at least one. */
    readonly findings: readonly Finding[],
    data: ErrorData = {},
  ) {
    super(summary(file, findings), data);
  }

  /** The same error with more data; fields that are set already win. */
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

/**
 * Parses a text and validates it; `file` is what errors call it. Throws RuntsError that names the
 * file; {@linkcode SpecError} if the document breaks the specification.
 */
export function checked(text: string, file: string, check: (value: unknown) => Finding[]): unknown {
  const value = parseJson(text, file);
  if (/\\ud[89a-f]/i.test(text)) refuseHalves(value, file);
  const findings = check(value);
  if (findings.length > 0) throw new SpecError(file, findings);
  return value;
}

/** Half a surrogate pair is no character: it would be a byte to us (lib/base/bytes.ts), and U+FFFD to others. */
function refuseHalves(value: unknown, file: string): void {
  // Whole pairs are written as they are.
  const half = /(?<!\\)(?:\\\\)*(\\ud[89a-f][0-9a-f]{2})/.exec(formatJson(value))?.[1];
  if (half === undefined) return;
  throw new RuntsError(`parse ${quote(file)}`, {
    cause: new Error(`${half} is half a surrogate pair, and no character`),
  });
}

/** Reads UTF-8 text. Throws RuntsError `read "FILE"` with the cause. */
export async function readText(files: CallersFiles, file: string): Promise<string> {
  try {
    return await files.read(file);
  } catch (cause) {
    throw new RuntsError(`read ${quote(file)}`, numberOf(cause));
  }
}

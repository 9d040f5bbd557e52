/**
 * The one error type. It carries data; its text is composed here and nowhere else.
 * Nothing is logged on the way up: the command line prints `runts: ` and the message once.
 */

import { errnoNumber, errnoText } from "./errno.ts";

/** What an error knows. Every field but the operation may be missing. */
export interface ErrorData {
  /** The command and its container, as `create "web"`. Set once, by the first verb that it leaves. */
  command?: string | undefined;
  /** JSON path in config.json (or process.json) that asked for the operation: `mounts[3]`. */
  configPath?: string | undefined;
  /** Error number of the system call that failed (errno(3)). */
  errno?: number | undefined;
  /** Stage of init that was reached: `namespaces`, `mounts`, … */
  stage?: string | undefined;
  /** The likely remedy, shown last. */
  hint?: string | undefined;
  /** What made the operation fail; its message follows the operation's. */
  cause?: unknown;
  /** Exit code of the command line when it is not 1. */
  exitCode?: number | undefined;
}

/** A failure of runts or of what it was asked to do. */
export class RuntsError extends Error {
  /** By which errors of another copy of this module are known, too. */
  override readonly name = "RuntsError";
  /** What was tried, on what: `mount "proc" on "/proc"`. */
  readonly operation: string;
  /** What is known of it. */
  readonly data: Readonly<ErrorData>;

  /** Its text follows from what was tried, on what, and from the rest. */
  constructor(operation: string, data: ErrorData = {}) {
    super(compose(operation, data), data.cause === undefined ? {} : { cause: data.cause });
    this.operation = operation;
    this.data = data;
  }

  /** The same error with more data; fields that are set already win. */
  with(data: ErrorData): RuntsError {
    return new RuntsError(this.operation, { ...data, ...this.data });
  }
}

/** Whether a value is a {@linkcode RuntsError}, also one of another copy of this module. */
export function isRuntsError(value: unknown): value is RuntsError {
  return value instanceof Error && value.name === "RuntsError";
}

function compose(operation: string, data: ErrorData): string {
  const parts = [data.command, data.configPath, operation];
  if (data.errno !== undefined) parts.push(errnoText(data.errno));
  if (data.cause !== undefined) parts.push(reason(data.cause));
  parts.push(data.hint);
  return oneLine(parts.filter((part) => part !== undefined && part !== "").join(": "));
}

/**
 * A value quoted for a message: one line, control characters escaped.
 * Long values are cut to 200 characters.
 */
export function quote(value: unknown): string {
  // Numbers may be beyond those of JSON.
  const isNumber = typeof value === "bigint" || typeof value === "number";
  const text = (isNumber ? undefined : inJson(value)) ?? String(value);
  return oneLine(text.length > 200 ? `${text.slice(0, 199)}…` : text);
}

/** JSON.stringify would escape them. */
function inJson(value: unknown): string | undefined {
  if (typeof value !== "string" || value.isWellFormed()) return JSON.stringify(value);
  const parts = value.split(BYTE).map((part) => JSON.stringify(part).slice(1, -1));
  const bytes = value.match(BYTE) ?? [];
  return `"${parts.map((part, i) => part + (bytes[i] ?? "")).join("")}"`;
}

/** What stands for a byte that is no text (lib/base/bytes.ts): a surrogate that stands alone. */
const BYTE = /[\udc80-\udcff]/gu;

/** `\xe4` */
function shownByte(character: string): string {
  return `\\x${(character.charCodeAt(0) & 0xff).toString(16)}`;
}

/** What terminals obey: control characters, other ends of lines, changes of direction. */
const OBEYED = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** A text in one line, of which a terminal shows every character. */
export function oneLine(text: string): string {
  if (!text.isWellFormed()) text = text.replace(BYTE, shownByte).toWellFormed();
  return text.replace(OBEYED, (character) => {
    if (character < " ") return JSON.stringify(character).slice(1, -1);
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The text of whatever was thrown, in the project's form (`ENOENT (no such file or directory)`). */
export function reason(error: unknown): string {
  if (isRuntsError(error)) return error.message;
  const errno = errnoOf(error);
  if (errno !== undefined) return errnoText(errno);
  return error instanceof Error ? error.message : String(error);
}

/** The same without what was tried, where the error number says enough. */
export function bareReason(error: unknown): string {
  const errno = errnoOf(error);
  return errno === undefined ? reason(error) : errnoText(errno);
}

/** A cause whose own words would say once more what was tried: its error number, if it has one. */
export function numberOf(cause: unknown): Pick<ErrorData, "errno" | "cause"> {
  const errno = errnoOf(cause);
  return errno === undefined ? { cause } : { errno };
}

/** The error number inside an error thrown by Deno or by runts, if it has one. */
export function errnoOf(error: unknown): number | undefined {
  if (isRuntsError(error)) return error.data.errno ?? errnoOf(error.data.cause);
  if (!(error instanceof Error)) return undefined;
  const code = (error as Error & { code?: unknown }).code;
  const known = typeof code === "string" ? errnoNumber(code) : undefined;
  if (known !== undefined) return known;
  // Deno has other names for a few: ENOTSUP.
  const match = /\(os error (\d+)\)/.exec(error.message);
  return match ? Number(match[1]) : undefined;
}

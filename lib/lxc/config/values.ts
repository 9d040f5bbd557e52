/** Values that are of one word or number. */

import { quote } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { normalize } from "../../base/paths.ts";
import { CAPABILITIES, capabilityNumber } from "../../spec/values/capabilities.ts";
import { parseSignal, signalName } from "../../spec/values/signals.ts";
import { guessText, type Report } from "./place.ts";

/** Reads a value; what it gives does not count once it has reported a fault. */
export type Parse<T> = (text: string, report: Report) => T;

const UINT_MAX = 2 ** 32 - 1;

/** Any text. */
export function text(value: string): string {
  return value;
}

/** Text of so many bytes at most. */
export function textUpTo(bytes: number): Parse<string> {
  return (value, report) => {
    if (new TextEncoder().encode(value).length > bytes) report(`is longer than ${bytes} bytes`);
    return value;
  };
}

/** A path on the host, or `none` and the like where `words` has them. */
export function path(...words: readonly string[]): Parse<string> {
  return (value, report) => {
    if (value.startsWith("/") || words.includes(value)) return value;
    report(["is not an absolute path", ...words.map((word) => `nor ${quote(word)}`)].join(" "));
    return value;
  };
}

/** A directory below another one, which it does not leave. */
export function below(value: string, report: Report): string {
  if (value.startsWith("/")) report("is an absolute path");
  else if (value.split("/").includes("..")) report('leads upwards with ".."');
  return normalize(value).slice(1);
}

/** One name of a directory. */
export function directoryName(value: string, report: Report): string {
  if (value.includes("/") || value === "." || value === "..") report("is not a single name");
  return value;
}

/** `0` or `1`. */
export function flag(value: string, report: Report): boolean {
  if (value !== "0" && value !== "1") report("is not 0 or 1");
  return value === "1";
}

/** A whole number from `least` to `most`; hexadecimal with 0x, octal with 0, as strtoul(3) has it. */
export function whole(most = UINT_MAX, least = 0): Parse<number> {
  return (value, report) => {
    const number = wholeNumber(value);
    if (number === undefined || number > most || number < least) {
      report(`is not a whole number from ${least} to ${most}`);
    }
    return number ?? 0;
  };
}

function wholeNumber(value: string): number | undefined {
  const match = /^([+-]?)(0x[\da-f]{1,12}|0[0-7]{0,15}|[1-9]\d{0,14})$/i.exec(value);
  if (match === null) return undefined;
  const digits = match[2]!;
  const octal = /^0[0-7]/.test(digits);
  const size = Number(octal ? `0o${digits.slice(1)}` : digits);
  return match[1] === "-" ? 0 - size : size;
}

/** One of these words. */
export function word<const W extends string>(...words: readonly W[]): Parse<W> {
  return (value, report) => oneOf(words, value, report) ?? words[0]!;
}

/** Which of the words a text is; reports it if it is none. */
function oneOf<const W extends string>(
  words: readonly W[],
  value: string,
  report: Report,
): W | undefined {
  const found = words.find((one) => one === value);
  if (found !== undefined) return found;
  const near = guessText(nearest(value.toLowerCase(), words));
  report(`is not one of ${words.join(", ")}`, value, near);
}

/** A number, or a name with SIG in front, in any case. */
export function signal(value: string, report: Report): number {
  const form = "as SIGPWR, SIGRTMIN+3 or 30";
  const number = wholeNumber(value);
  if (number !== undefined) {
    if (number < 0 || number > 64) report("is not a signal from 0 to 64");
    return number;
  }
  try {
    const parsed = parseSignal(value);
    if (/^sig/i.test(value)) return parsed;
    report("is not a signal", value, `did you mean ${quote(`SIG${value.toUpperCase()}`)}?`);
  } catch {
    const near = nearest(value.toUpperCase(), SIGNALS());
    report("is not a signal", value, guessText(near) ?? form);
  }
  return 0;
}

const SIGNALS = () => Array.from({ length: 31 }, (_, index) => `SIG${signalName(index + 1)}`);

/** Words that are separated by blanks. */
export function wordsOf(value: string): string[] {
  return value.split(/\s+/).filter((part) => part !== "");
}

/** Capabilities as `sys_time`, or their numbers; their names as CAP_SYS_TIME. */
export function capabilities(value: string, report: Report): string[] {
  return wordsOf(value).flatMap((name) => capability(name, report) ?? []);
}

function capability(name: string, report: Report): string | undefined {
  const number = /^\d{1,3}$/.test(name) ? Number(name) : undefined;
  const known = number !== undefined
    ? CAPABILITIES[number]
    : /^(?!cap_)[a-z_]+$/.test(name)
    ? CAPABILITIES[capabilityNumber(name) ?? -1]
    : undefined;
  if (known === undefined) {
    const bare = name.toLowerCase().replace(/^cap_/, "");
    const near = nearest(bare, CAPABILITIES.map((one) => one.slice(4).toLowerCase()));
    report("is not a capability", name, guessText(near) ?? "as sys_time, in lower case");
  }
  return known;
}

/** Capabilities to keep; the word `none` forgets those in front of it. */
export function keptCapabilities(value: string, report: Report): (string | "none")[] {
  return wordsOf(value).flatMap((name) =>
    name === "none" ? "none" : capability(name, report) ?? []
  );
}

/** `NAME=VALUE`, or `NAME` for that of the caller. */
export function variable(value: string, report: Report): string {
  if (value.startsWith("=")) report("has no name in front of =");
  return value;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
};
const PAGE = 4096;
const AUTO_SIZE = 2 ** 17;

/** Bytes, or with KB, MB, GB; `auto` is 128 KiB. At least a page, and the next power of two. */
export function bufferSize(value: string, report: Report): number {
  if (value === "auto") return AUTO_SIZE;
  const match = /^(\d{1,15})\s*(KB|MB|GB)?$/i.exec(value);
  if (match === null) {
    report("is not a size", value, 'as "auto", "131072", "128KB" or "1MB"');
    return 0;
  }
  const bytes = Number(match[1]) * SIZE_UNITS[(match[2] ?? "").toUpperCase()]!;
  return bytes === 0 ? 0 : 2 ** Math.ceil(Math.log2(Math.max(bytes, PAGE)));
}

/** From the one that logs most to the one that logs least. */
export const LOG_LEVELS = [
  "TRACE",
  "DEBUG",
  "INFO",
  "NOTICE",
  "WARN",
  "ERROR",
  "CRIT",
  "ALERT",
  "FATAL",
] as const;

/** How much is logged: the lower in the list, the less. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A number from 0 to 8, or a name. */
export function logLevel(value: string, report: Report): LogLevel {
  const level = /^\d$/.test(value) ? LOG_LEVELS[Number(value)] : undefined;
  if (level !== undefined) return level;
  return oneOf(LOG_LEVELS, value.toUpperCase(), (_, __, hint) => {
    report(`is not one of ${LOG_LEVELS.join(", ")}, nor a number from 0 to 8`, value, hint);
  }) ?? "ERROR";
}

/** Signals: names and numbers of x86, arm and most other Linux architectures (signal(7)). */

import { quote, RuntsError } from "../../base/errors.ts";

/** Names in the order of their numbers; the first is 1. */
// deno-fmt-ignore
const NAMES = [
  "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
  "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
  "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
const ALIASES: Readonly<Record<string, string>> = { IOT: "ABRT", CLD: "CHLD", POLL: "IO" };

/** The first real-time signal that glibc and musl leave to programs, and the last. */
const RTMIN = 34;
const RTMAX = 64;

export const SIGKILL = 9;
export const SIGTERM = 15;

/**
 * The number of a signal given as `15`, `TERM`, `SIGTERM`, `sigterm`, `RTMIN+3` or `SIGRTMAX-1`.
 * Throws RuntsError `unknown signal "X"`. 0, which tests for existence, is taken as a number.
 */
export function parseSignal(text: string): number {
  const number = signalNumber(text);
  if (number === undefined) throw new RuntsError(`unknown signal ${quote(text)}`);
  return number;
}

/** `TERM` for 15, `RTMIN+3` for 37; the number itself when it has no name. */
export function signalName(number: number): string {
  const name = NAMES[number - 1];
  if (name !== undefined) return name;
  if (number < RTMIN || number > RTMAX) return String(number);
  return number === RTMIN ? "RTMIN" : `RTMIN+${number - RTMIN}`;
}

function signalNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const number = Number(text);
    return number <= RTMAX ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  const index = NAMES.indexOf(Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name);
  if (index >= 0) return index + 1;
  const match = /^RT(MIN|MAX)([+-]\d{1,2})?$/.exec(name);
  if (!match) return undefined;
  const number = (match[1] === "MIN" ? RTMIN : RTMAX) + Number(match[2] ?? 0);
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}

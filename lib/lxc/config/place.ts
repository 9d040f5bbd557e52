/** Where a setting stands, and what is wrong with one. */

import { quote } from "../../base/errors.ts";

/** The line that a setting comes from. */
export interface Place {
  /** Path of the file as it was named; {@linkcode DEFINED} for a setting of the command line. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The key as it is written there: `lxc.utsname`. */
  readonly key: string;
}

/** Stands for the file of a setting that `-s KEY=VALUE` gave. */
export const DEFINED = "-s";

/** A value and the line that gave it. */
export interface Given<T> {
  readonly value: T;
  /** As it is written, without quotes and what is blank around it. */
  readonly text: string;
  readonly at: Place;
}

/** One fault of a configuration, or one thing to be told about it. */
export interface Finding {
  readonly at: Place;
  /** In words, with the value quoted. */
  readonly message: string;
}

/**
 * Takes a fault of a value. `part` is what is at fault, if that is not the whole; `hint` what to
 * write instead.
 */
export type Report = (fault: string, part?: string, hint?: string) => void;

/** `/var/lib/lxc/web/config:17`; `-s` for a setting of the command line. */
export function placeText({ file, line }: Pick<Place, "file" | "line">): string {
  return file === DEFINED ? DEFINED : `${file}:${line}`;
}

/** `FILE:LINE: KEY: MESSAGE`, as it is printed. */
export function findingText({ at, message }: Finding): string {
  return [placeText(at), at.key, message].filter((part) => part !== "").join(": ");
}

/** The message of a fault of a value. */
export function faultText(value: string, fault: string, hint?: string): string {
  return `${quote(value)} ${fault}${hint === undefined ? "" : `: ${hint}`}`;
}

/** `did you mean "ro"?`, if there is a guess. */
export function guessText(near: string | undefined): string | undefined {
  return near === undefined ? undefined : `did you mean ${quote(near)}?`;
}

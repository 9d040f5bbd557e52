/** Why criu failed: its log says it, among much else. */

import { quote, RuntsError } from "../base/errors.ts";
import { CriuFailure } from "./worker.ts";

/** Bytes of a log that are looked at: criu writes what went wrong at the end. */
const LOG_MAX = 4 * 1024 * 1024;

/** What makes nothing fail by itself. */
const HARMLESS = [/^rlimit: /, /^Can't keep kdat cache/];

/** What criu's words mean for whoever has asked. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/ has bad size /, "output may only be restored into a file that is appended to (>>)"],
  [
    /Can't fork for \d+: File exists/,
    "a process id of the image is taken in the shared pid namespace",
  ],
  [/^Locking network failed/, "install iptables, or use --network-lock skip"],
];

/**
 * The first error of a log: those after it follow from it. `(00.327034) Error (criu/files.c:1790): Can't …`
 * gives `Can't …`.
 */
export function firstError(log: string): string | undefined {
  for (const [, text = ""] of log.matchAll(/^\([\d.]+\)\s*(?:\d+: )?Error \([^)]*\): (.*)$/gm)) {
    if (!HARMLESS.some((pattern) => pattern.test(text))) return text.trim();
  }
  return undefined;
}

/** An error with the reason out of the log, if criu has written one; else what it answered. */
export function withReason(error: unknown, file: string): unknown {
  if (!(error instanceof CriuFailure)) return error;
  const text = readLog(file);
  const known = text === undefined ? undefined : firstError(text);
  const { cause, errno } = error.data;
  const [, hint] = HINTS.find(([pattern]) => known !== undefined && pattern.test(known)) ?? [];
  const log = text === undefined ? [] : [`its log is ${quote(file)}`];
  return new RuntsError(known ? "criu failed" : error.operation, {
    ...(known ? { cause: known } : cause !== undefined ? { cause } : { errno }),
    hint: [...(hint === undefined ? [] : [hint]), ...log].join("; "),
  });
}

function readLog(path: string): string | undefined {
  try {
    using file = Deno.openSync(path);
    const { size } = file.statSync();
    const bytes = new Uint8Array(Math.min(size, LOG_MAX));
    file.seekSync(Math.max(0, size - LOG_MAX), Deno.SeekMode.Start);
    const length = file.readSync(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, length));
  } catch {
    return undefined;
  }
}

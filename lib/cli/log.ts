/**
 * Where messages go. Clients read the log file back: one JSON object if the command failed,
 * nothing if it succeeded; so warnings are written to it only when a level was asked for.
 */

import { absoluteBytes, isNamed } from "../base/absolute.ts";
import type { Caller } from "../base/caller.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import type { GlobalValues } from "./globals.ts";
import { type Level, LEVELS, type Sink } from "./log_level.ts";
import type { Output } from "./types.ts";

/** What the command line reports through. */
export interface Log {
  readonly warn: (message: string) => void;
  /** Absent when nobody asked for it. */
  readonly debug?: (message: string) => void;
  /** Reports why the command failed; whatever the log is, on the standard error too. */
  readonly fail: (message: string) => void;
  /** Closes what was opened for it. */
  readonly close: () => void;
}

/** Where entries go. */
interface Target {
  readonly sink: Sink;
  readonly close?: () => void;
}

/** Opens the log that the options ask for; throws when it cannot be opened. */
export async function openLog(
  options: GlobalValues,
  caller: Caller,
  output: Output,
): Promise<Log> {
  const path = options.log?.replace(/^file:/, "");
  const isStderr = path === undefined || path === "/dev/stderr";
  const { sink, close = () => {} } = isStderr
    ? { sink: stderrSink(options, output) }
    : await openSink(path, options, caller);
  const level = options.debug ? "debug" : options.logLevel ?? (isStderr ? "warning" : "error");
  const shows = (wanted: Level) => LEVELS.indexOf(wanted) <= LEVELS.indexOf(level);
  return {
    warn: shows("warning") ? (message) => sink("warning", message) : () => {},
    ...(shows("debug") && { debug: (message: string) => sink("debug", message) }),
    fail(message) {
      if (!isStderr) output.printError(errorLine(message));
      sink("error", message);
    },
    close,
  };
}

function stderrSink({ logFormat }: GlobalValues, { printError }: Output): Sink {
  if (logFormat !== "json") return (level, message) => printError(line(level, message));
  return (level, message) => printError(entry(level, message, true));
}

/** One line for people: `runts: warning: …`. */
function line(level: Level, message: string): string {
  const prefix = level === "error" ? "" : `${level}: `;
  return `runts: ${prefix}${message}\n`;
}

/** The same of an error. */
export function errorLine(message: string): string {
  return line("error", message);
}

async function openSink(
  path: string,
  { log, logFormat }: GlobalValues,
  caller: Caller,
): Promise<Target> {
  const service = log!.startsWith("file:") ? null : /^(journald|syslog):(.*)$/.exec(path);
  if (service) {
    const { openService } = await import("./log_service.ts");
    return { sink: await openService(service[1]!, service[2]!) };
  }
  const whole = absoluteBytes(caller, path);
  const file = isNamed(caller, whole)
    ? openFile(path, whole, caller)
    : await openBytesNamed(path, whole, caller);
  return {
    sink: (level, message) => write(file, entry(level, message, logFormat === "json")),
    close: () => file.close(),
  };
}

function openFile(path: string, file: string, caller: Caller): Deno.FsFile {
  try {
    // Whoever opens a fifo for both need not wait for a reader.
    if (statFile(file)?.isFifo) return Deno.openSync(file, { read: true, write: true });
    return Deno.openSync(file, { create: true, append: true, mode: caller.masked(0o644) });
  } catch (cause) {
    throw new RuntsError(`open log file ${quote(path)}`, { cause });
  }
}

async function openBytesNamed(
  path: string,
  file: string,
  caller: Caller,
): Promise<Deno.FsFile> {
  const { openLogFile } = await import("./log_file.ts");
  return await openLogFile(path, file, caller.masked(0o644));
}

/** A line as runc writes it, which is what podman and containerd parse. */
function entry(level: Level, message: string, json: boolean): string {
  const time = `${new Date().toISOString().slice(0, 19)}Z`; // RFC 3339
  return json
    ? `${JSON.stringify({ level, msg: message, time })}\n`
    : `time="${time}" level=${level} msg=${JSON.stringify(message)}\n`;
}

/** A full disk must not make a command fail that would succeed without a log. */
function write(file: { writeSync(bytes: Uint8Array): number }, text: string): void {
  try {
    file.writeSync(new TextEncoder().encode(text));
  } catch {
    // there is no other place to tell it
  }
}

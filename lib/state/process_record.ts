/**
 * What is kept of a process that a monitor looks after, in ROOT/ID/processes/NAME/:
 *
 * - `process.json`: what it is; by runts
 * - `pid`: decimal, without a newline; by runts
 * - `exit.json`: how it ended, once it has; by the monitor, before anybody is told
 * - `exit`: a fifo that is at its end once exit.json is there, and gone then
 * - `control`: a fifo that takes lines: `resize WIDTH HEIGHT`, `close-stdin`
 */

import type { Process } from "../spec/types/config.ts";
import { readRecord, RecordReader, writeRecord } from "./record.ts";

/** Name of the container's first process among its processes; an exec's is its id. */
export const INIT = "init";

/** A process of this boot: nobody else has both. */
export interface ProcessName {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTime: number;
}

/** process.json. */
export interface ProcessRecord extends ProcessName {
  readonly bootId: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  /** The process of the configuration, or that of the exec. */
  readonly spec: Process | undefined;
  /** The parent of the process. */
  readonly monitor: ProcessName;
}

/** exit.json: how a process ended. */
export interface ExitRecord {
  /** As the host saw it. */
  readonly pid: number;
  /** As a shell has it: the exit code, or 128 + signal. */
  readonly code: number;
  /** The signal that ended it, or 0. */
  readonly signal: number;
  /** Whether it left a core dump. */
  readonly core: boolean;
  /** Whether the kernel killed a process of the container for its memory. */
  readonly oom: boolean;
  /** False: it has ended before it executed its program. */
  readonly executed?: false;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly at: string;
}

/** Reads process.json; undefined when it is not there, an error when it is damaged. */
export function readProcessRecord(directory: string): ProcessRecord | undefined {
  const file = `${directory}/process.json`;
  const text = readRecord(file);
  if (text === undefined) return undefined;
  const record = RecordReader.parse(file, text);
  const spec = record.withinIfAny("spec") && record.raw("spec") as Process;
  return {
    ...processName(record),
    bootId: record.text("bootId"),
    created: record.time("created"),
    spec,
    monitor: processName(record.within("monitor")),
  };
}

/** The two numbers that name a process. */
export function processName(record: RecordReader): ProcessName {
  return { pid: record.count("pid"), startTime: record.count("startTime") };
}

/** Writes process.json, and then the pid by itself. */
export function writeProcessRecord(directory: string, record: ProcessRecord): void {
  writeRecord(`${directory}/process.json`, record);
  Deno.writeTextFileSync(`${directory}/pid`, String(record.pid), { mode: 0o600 });
}

/** Reads exit.json; undefined when it is not there, an error when it is damaged. */
export function readExitRecord(directory: string): ExitRecord | undefined {
  const file = `${directory}/exit.json`;
  const text = readRecord(file);
  return text === undefined ? undefined : exitOf(RecordReader.parse(file, text));
}

/** Writes exit.json, where the monitor's is there no more. */
export function writeExitRecord(directory: string, exit: ExitRecord): void {
  writeRecord(`${directory}/exit.json`, exit);
}

/** How a process ended, as a record has it. */
export function exitOf(record: RecordReader): ExitRecord {
  return {
    pid: record.count("pid"),
    code: record.count("code"),
    signal: record.count("signal"),
    core: record.flag("core"),
    oom: record.flag("oom"),
    ...(record.flagIfAny("executed") === false && { executed: false as const }),
    at: record.time("at"),
  };
}

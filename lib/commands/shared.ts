/** Parts of the command table that several commands share. */

import { parseDuration } from "../cli/size.ts";
import type { Argument, Option, Options } from "../cli/types.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { quote, RuntsError } from "../base/errors.ts";

/** The id of a container that exists. */
export const CONTAINER = {
  value: "CONTAINER",
  description: "id of the container",
  complete: "container",
} as const satisfies Argument;

export const BUNDLE = {
  bundle: {
    short: "b",
    value: "DIR",
    description: "directory of the bundle (default: the working directory)",
    complete: "directory",
  },
} as const satisfies Options;

/** Of the commands that start a process. */
export const TRACE = {
  trace: {
    value: "FILE",
    description: 'write what is done and when to this file, for "runts trace" and Perfetto',
    complete: "file",
  },
} as const satisfies Options;

/** Options of the commands that start a process. */
export const PROCESS_OPTIONS = {
  ...TRACE,
  consoleSocket: {
    value: "PATH",
    description: "Unix socket that receives the master of the terminal",
    complete: "file",
  },
  pidFile: {
    value: "FILE",
    description: "write the pid of the process to this file",
    complete: "file",
  },
  pidfdSocket: {
    value: "PATH",
    description: "Unix socket that receives a pidfd of the process",
    complete: "file",
  },
  preserveFds: {
    value: "N",
    integer: true,
    description: "pass N more file descriptors, from 3 on, to the program",
  },
} as const satisfies Options;

export const PROCESS = {
  value: "NAME",
  description: "a program that exec --supervised started (default: the container's own)",
} as const satisfies Option;

export const TIMEOUT = {
  short: "t",
  value: "TIME",
  description: 'before it is killed, as "30s" (default: what create was told, else 10s)',
} as const satisfies Option;

/** The time of {@linkcode TIMEOUT} in ms. */
export function stopTime({ timeout }: { timeout?: string }): { timeout?: number } {
  if (timeout === undefined) return {};
  return { timeout: parseDuration('option "--timeout"', timeout, 0) };
}

export const FORMAT = {
  short: "f",
  value: "FORMAT",
  choices: ["table", "json"],
  description: "table (default) or json",
} as const satisfies Option;

export const REGEX = {
  short: "r",
  description: "CONTAINER is a regular expression; all whose id it matches",
} as const satisfies Option;

/** The ids that a command is for: the one given, or those that match it. */
export async function matching(
  runtime: Runtime,
  id: string,
  regex: boolean | undefined,
): Promise<string[]> {
  if (!regex) return [id];
  const { list } = await import("../container/list.ts");
  let pattern: RegExp;
  try {
    pattern = new RegExp(id);
  } catch (cause) {
    throw new RuntsError(`regular expression ${quote(id)}`, { cause });
  }
  const entries = await list(runtime);
  return entries.map((entry) => entry.id).filter((one) => pattern.test(one));
}

/** Options of commands that make a container which a monitor looks after. */

import { parseDuration, parseSize } from "../cli/size.ts";
import type { Options, OptionValues } from "../cli/types.ts";
import { quote, RuntsError } from "../base/errors.ts";
import type { LogChoice, SupervisionOptions } from "../supervise/options.ts";

export const SUPERVISE_OPTIONS = {
  supervised: {
    description: "a monitor looks after it; each of the options that follow implies it",
  },
  restart: {
    value: "POLICY",
    description: "start it anew: no (default), on-failure[:N], always or unless-stopped",
  },
  restartDelay: {
    value: "TIME",
    description: "before the first restart; each further one waits twice as long (default: 100ms)",
  },
  createTimeout: {
    value: "TIME",
    description: "how long its making may take; 0: any time (default: 30s)",
  },
  stopTimeout: {
    value: "TIME",
    description: 'what "stop" gives it before it is killed (default: 10s)',
  },
  label: { value: "KEY=VALUE", repeat: true, description: "a label, for list --filter" },
  logDriver: {
    value: "DRIVER",
    choices: ["cri", "json-file", "raw", "journald", "none"],
    description: "form of the log: cri (default), json-file, raw, journald or none",
  },
  logPath: {
    value: "FILE",
    description: "the log (default: output.log in the state directory)",
    complete: "file",
  },
  logMaxSize: {
    value: "SIZE",
    description: "put a file of the log aside at this size; 0: never (default: 10m)",
  },
  logMaxFiles: {
    value: "N",
    integer: true,
    description: "how many files of the log there are at most (default: 3)",
  },
  interactive: { short: "i", description: "keep its input open, for attach" },
  persist: {
    value: "DIR",
    description: "keep how it ended there, over a reboot too",
    complete: "directory",
  },
} as const satisfies Options;

type Values = OptionValues<typeof SUPERVISE_OPTIONS>;

/** The options of supervision, and the others; undefined for a container without a monitor. */
export async function supervision<T extends Values>(
  values: T,
): Promise<{ supervised: SupervisionOptions | undefined; others: Omit<T, keyof Values> }> {
  const { others, own } = divided(values);
  return { supervised: Object.keys(own).length > 0 ? await chosen(own) : undefined, others };
}

function divided<T extends Values>(values: T): { others: Omit<T, keyof Values>; own: Values } {
  const entries = Object.entries(values);
  const isOwn = ([key, value]: [string, unknown]) =>
    Object.hasOwn(SUPERVISE_OPTIONS, key) && value !== false;
  const isOther = ([key]: [string, unknown]) => !Object.hasOwn(SUPERVISE_OPTIONS, key);
  return {
    own: Object.fromEntries(entries.filter(isOwn)) as Values,
    others: Object.fromEntries(entries.filter(isOther)) as Omit<T, keyof Values>,
  };
}

async function chosen(values: Values): Promise<SupervisionOptions> {
  const { label, restart, restartDelay, stopTimeout, persist, interactive } = values;
  const { createTimeout } = values;
  const { parseLabels } = await import("../supervise/filter.ts");
  const { parseRestart } = await import("../supervise/restart_rule.ts");
  const time = (name: string, text: string, least?: number) =>
    Math.round(parseDuration(`option "${name}"`, text, least));
  if (restart !== undefined) parseRestart('option "--restart"', restart);
  return {
    log: await logChoice(values),
    ...(label && { labels: parseLabels('option "--label"', label) }),
    ...(restart !== undefined && { restart }),
    ...(restartDelay !== undefined && { restartDelay: time("--restart-delay", restartDelay) }),
    ...(createTimeout !== undefined && {
      createTimeout: time("--create-timeout", createTimeout, 0),
    }),
    ...(stopTimeout !== undefined && { stopTimeout: time("--stop-timeout", stopTimeout, 0) }),
    ...(interactive !== undefined && { interactive }),
    ...(persist !== undefined && { persist }),
  };
}

async function logChoice(values: Values): Promise<LogChoice> {
  const { logDriver, logPath, logMaxSize, logMaxFiles } = values;
  const { LOG_FILES_MAX } = await import("../supervise/options.ts");
  return {
    ...(logDriver !== undefined && { driver: logDriver }),
    ...(logPath !== undefined && { path: logPath }),
    ...(logMaxSize !== undefined && { maxSize: sizeOfFile(logMaxSize) }),
    ...(logMaxFiles !== undefined && { maxFiles: numberOfFiles(logMaxFiles, LOG_FILES_MAX) }),
  };
}

function sizeOfFile(text: string): number {
  const what = 'option "--log-max-size"';
  const size = Number(parseSize(what, text));
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new RuntsError(`${what}: ${quote(text)} is not the size of a file`);
}

function numberOfFiles(number: number, most: number): number {
  if (number >= 1 && number <= most) return number;
  throw new RuntsError(`option "--log-max-files": ${number} is not a number from 1 to ${most}`);
}

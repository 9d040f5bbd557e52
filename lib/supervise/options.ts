/** How a supervised container is to be looked after. */

import { absolute } from "../base/absolute.ts";
import type { Caller } from "../base/caller.ts";
import { RuntsError } from "../base/errors.ts";
import type { StateDirectory } from "../state/directory.ts";
import type { LogSettings, RestartRule, Supervised } from "../state/supervised.ts";
import { FIRST_DELAY, parseRestart } from "./restart_rule.ts";

/** What a caller may choose; each has a default. */
export interface SupervisionOptions {
  /** Anything, for whoever looks for it. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `no` (the default), `on-failure`, `on-failure:3`, `always` or `unless-stopped`. */
  readonly restart?: string;
  /** Milliseconds before the first restart of a row; each further one waits twice as long. Default 100. */
  readonly restartDelay?: number;
  /** Milliseconds that its making may take, each time; 0: any. Default 30,000. */
  readonly createTimeout?: number;
  /** Milliseconds between the stop signal and KILL; default 10,000. */
  readonly stopTimeout?: number;
  /** Default: `cri`, three files of 10 MiB in the state directory. */
  readonly log?: LogChoice;
  /** Whether its input stays open for whoever attaches; by default it is empty. */
  readonly interactive?: boolean;
  /** Directory of a file system that outlives a reboot, for copies of how processes ended. */
  readonly persist?: string;
}

/** Where output goes. */
export interface LogChoice {
  /** Default `cri`. */
  readonly driver?: LogSettings["driver"];
  /** File; default `output.log` in the state directory, and the journal's socket for `journald`. */
  readonly path?: string;
  /** Bytes after which a file is put aside, 0 for never; default 10 MiB. */
  readonly maxSize?: number;
  /** How many files there are at most, the one that is written among them: up to 1,000; default 3. */
  readonly maxFiles?: number;
}

const CREATE_TIMEOUT = 30_000;
const STOP_TIMEOUT = 10_000;
const LOG_SIZE = 10 * 1024 * 1024;
const LOG_FILES = 3;
/** Whenever a file is put aside, all of them are renamed. */
export const LOG_FILES_MAX = 1_000;
const JOURNAL = "/run/systemd/journal/socket";

/** What does not change in the life of a container. */
type Chosen = Pick<
  Supervised,
  "labels" | "restart" | "stopTimeout" | "log" | "interactive" | "persist"
>;

/** How long the making of a container may take, in ms. */
export function createLimit(options: Pick<SupervisionOptions, "createTimeout">): number {
  const { createTimeout = CREATE_TIMEOUT } = options;
  checkCount("createTimeout", createTimeout);
  return createTimeout;
}

/** The options with their defaults. Throws RuntsError for one that cannot be. */
export function chosen(
  caller: Caller,
  directory: StateDirectory,
  options: SupervisionOptions,
): Chosen {
  const { labels = {}, stopTimeout = STOP_TIMEOUT, interactive = false, persist } = options;
  checkCount("stopTimeout", stopTimeout);
  return {
    labels,
    restart: restartRule(options),
    stopTimeout,
    log: logSettings(caller, directory, options.log ?? {}),
    interactive,
    ...(persist !== undefined && { persist: absolute(caller, persist) }),
  };
}

function restartRule(
  { restart = "no", restartDelay = FIRST_DELAY }: SupervisionOptions,
): RestartRule {
  checkCount("restartDelay", restartDelay, 1);
  return parseRestart("restart", restart, restartDelay);
}

function logSettings(caller: Caller, directory: StateDirectory, choice: LogChoice): LogSettings {
  const { driver = "cri", maxSize = LOG_SIZE, maxFiles = LOG_FILES } = choice;
  checkCount("log.maxSize", maxSize);
  checkCount("log.maxFiles", maxFiles, 1, LOG_FILES_MAX);
  return { driver, path: logPath(caller, directory, driver, choice.path), maxSize, maxFiles };
}

function logPath(
  caller: Caller,
  directory: StateDirectory,
  driver: LogSettings["driver"],
  path: string | undefined,
): string {
  if (driver === "none") return "";
  if (path !== undefined) return absolute(caller, path);
  return driver === "journald" ? JOURNAL : directory.file("output.log");
}

function checkCount(name: string, value: number, least = 0, most = Infinity): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new RuntsError(`${name} ${value} is not a whole number ${range}`);
}

/** Parts of the command table that the verbs of LXC share. */

import { RuntsError } from "../base/errors.ts";
import type { Argument, Options } from "../cli/types.ts";
import { LOG_LEVELS } from "../lxc/config/values.ts";
import type { Choice } from "../lxc/place.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** What every command of LXC takes. */
export const LXC_COMMON = {
  lxcpath: {
    short: "P",
    value: "DIR",
    description:
      "directory of the containers (default: that of /etc/lxc/lxc.conf, else /var/lib/lxc)",
    complete: "directory",
  },
  logfile: {
    short: "o",
    value: "FILE",
    description: "a log: the cause of a failure, and warnings, which are not told then",
    complete: "file",
  },
  logpriority: {
    short: "l",
    value: "LEVEL",
    description: `the least that is logged: ${LOG_LEVELS.join(", ")} (default: ERROR)`,
  },
  quiet: { short: "q", description: "print nothing on the standard error" },
  version: { description: "print the version of LXC whose commands these are" },
} as const satisfies Options;

/** What the commands take that are for one container. */
export const LXC_NAMED = {
  name: { short: "n", value: "NAME", description: "the container" },
  ...LXC_COMMON,
  rcfile: {
    value: "FILE",
    description: "the configuration (default: the file config of the container's directory)",
    complete: "file",
  },
} as const satisfies Options;

/** A further way to name the container. */
export const LXC_NAME = {
  value: "NAME",
  description: "the container, as with --name",
  optional: true,
  complete: "none",
} as const satisfies Argument;

/** A command line, after the name of the container if no option gives that. */
export const LXC_COMMAND = {
  value: "[NAME] [COMMAND]",
  description: "the container, unless --name gives it, and a command for it",
  optional: true,
  rest: "command",
  complete: "none",
} as const satisfies Argument;

/** A program of the host, with its arguments. */
export const LXC_PROGRAM = {
  value: "COMMAND",
  description: "the program",
  optional: true,
  rest: "command",
  complete: "command",
} as const satisfies Argument;

/** Configurations by their paths. */
export const LXC_FILES = {
  value: "FILE",
  description: "configurations",
  optional: true,
  rest: "command",
  complete: "file",
} as const satisfies Argument;

export const DEFINE = {
  short: "s",
  value: "KEY=VALUE",
  repeat: true,
  description: "a setting that comes after those of the file",
} as const;

/** The version of LXC whose command lines, formats and exit codes these are. */
const LXC_VERSION = "5.0.2";

/** What the command line says. */
interface Given {
  readonly print: (text: string) => void;
  readonly options: {
    readonly version?: boolean;
    readonly name?: string;
    readonly lxcpath?: string;
    readonly rcfile?: string;
    readonly define?: string[];
  };
}

/** Answers `--version`; true if that was asked for. */
export function versionWanted({ options, print }: Given): boolean {
  if (options.version) print(`${LXC_VERSION}\n`);
  return options.version === true;
}

/** A number of seconds; negative: for ever. */
export function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined || /^-?\d{1,9}$/.test(text)) {
    return text === undefined ? text : Number(text);
  }
  throw new RuntsError(`option "--timeout": ${JSON.stringify(text)} is not a number of seconds`);
}

/** The container that a command line names. */
export function choiceOf({ options }: Given, name: string | undefined): Choice {
  const { lxcpath, rcfile, define } = options;
  return { name: options.name ?? name, lxcpath, rcfile, define };
}

/** A command line whose first word is the name of the container unless an option gives that. */
interface GivenWords extends Given {
  readonly args: { readonly words: readonly string[] };
}

/** The container, and the words behind its name. */
export function namedWords(given: GivenWords): { choice: Choice; rest: readonly string[] } {
  const { args: { words }, options: { name } } = given;
  return { choice: choiceOf(given, words[0]), rest: name === undefined ? words.slice(1) : words };
}

/** The container, and the command for it: `NAME -- COMMAND`. */
export function namedCommand(given: GivenWords): { choice: Choice; command: readonly string[] } {
  const { choice, rest } = namedWords(given);
  const isParted = given.options.name === undefined && rest[0] === "--";
  return { choice, command: isParted ? rest.slice(1) : rest };
}

/** The settings of the command line: those that are defined, these further ones, and those of the container's log. */
export async function settingsOf(
  runtime: Runtime,
  options: Given["options"] & { readonly logfile?: string; readonly logpriority?: string },
  further: readonly string[] = [],
): Promise<string[]> {
  const { define = [], logfile, logpriority } = options;
  const all = [...define, ...further];
  if (logfile === undefined && logpriority === undefined) return all;
  const { logSettings } = await import("./lxc_log.ts");
  return [...all, ...logSettings(runtime, options)];
}

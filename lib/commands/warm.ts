/** Which command lines a warm brain carries out; all others start Deno. */

import { findVerb, verbPlace } from "../cli/dispatch.ts";
import { type CommandLine, parse } from "../cli/parse.ts";
import { runLine } from "../cli/run.ts";
import type { Declaration, Option, Setting } from "../cli/types.ts";
import { isWithin, pathFrom } from "../base/paths.ts";
import type { BrainStatus, Prepared } from "../serve/request.ts";
import type { Caller } from "../base/caller.ts";
import { GLOBAL_OPTIONS } from "../cli/globals.ts";
import { SUPERVISE_OPTIONS } from "./supervise_options.ts";

const MB = 1e6;

type Values = CommandLine["options"];

const always = () => true;

/** What a front can do so far is enough for these, with such options. */
const WARM: Readonly<Record<string, (options: Values) => boolean>> = {
  create: always,
  delete: always,
  events: (options) => ["json", undefined].includes(options.format as string),
  exec: (options) => options.detach === true || alone(options),
  features: always,
  inspect: always,
  kill: always,
  list: always,
  pause: always,
  ps: always,
  resume: always,
  run: (options) => options.detach === true || alone(options),
  serve: (options) => options.status === true,
  start: always,
  state: always,
  stop: always,
  update: (options) => options.resources !== "-",
  wait: always,
};

/** The verbs that may be carried out so. */
export const WARM_VERBS: readonly string[] = Object.keys(WARM);

/** Loads what the first command would have to wait for. */
export async function loadWarm(): Promise<void> {
  const { commandOf } = await import("./load.ts");
  await Promise.all(WARM_VERBS.map(commandOf));
}

/** What is joined to a monitor's streams reads those of its own process. */
function alone(options: Values): boolean {
  return ["name", ...Object.keys(SUPERVISE_OPTIONS)].every((key) => options[key] === undefined);
}

/** In these directories a path means something else to every process. */
const OF_A_PROCESS = ["/proc", "/dev"];
/** Nothing is opened for this one. */
const STDERR = "/dev/stderr";

/** What carries out a command line for somebody else; undefined where that cannot be. */
export async function prepareWarm(
  words: readonly string[],
  caller: Caller,
  status: () => BrainStatus,
): Promise<Prepared | undefined> {
  const verb = findVerb(words);
  if (verb === "shim") return prepareShims(words.slice(verbPlace(words) + 1));
  const isWarm = Object.hasOwn(WARM, verb) ? WARM[verb] : undefined;
  if (isWarm === undefined) return undefined;
  const { commandOf } = await import("./load.ts");
  const command = await commandOf(verb);
  const line = command && lineOf(command, words);
  if (line === undefined || !isWarm(line.options) || !meansTheSame(command!, line, caller)) {
    return undefined;
  }
  if (line.options.trace !== undefined) return undefined; // it tells of a process of its own
  if (verb === "serve") return { run: (setting) => printStatus(status(), setting) };
  const afterwards = verb === "run" && !line.options.keep && {
    afterwards: [...words.slice(0, verbPlace(words)), "delete", "--force", line.args.id as string],
  };
  return {
    run: (setting) => runLine(command!, () => line, setting),
    ...(tells(verb, line.options) && { beginsAnew: true }),
    ...afterwards,
  };
}

/** The brain of containerd's shims, which a monitor asks for; undefined for what containerd does. */
function prepareShims([verb, ...words]: readonly string[]): Prepared | undefined {
  if (verb !== "serve") return undefined;
  return {
    stays: true,
    async run({ runtime, signal }) {
      const { serveWarm } = await import("../shim/serve.ts");
      const { caller, body } = runtime();
      await serveWarm(words, { caller, body: body! }, signal!);
      return 0;
    },
  };
}

/** Whether a command may take for ever, and another one can take its place at any time. */
function tells(verb: string, options: Values): boolean {
  return verb === "wait" || (verb === "events" && options.stats !== true);
}

/** Undefined for a line with a mistake. */
function lineOf(command: Declaration, words: readonly string[]): CommandLine | undefined {
  try {
    const line = parse(command, words);
    return line.problem === undefined ? line : undefined;
  } catch {
    return undefined;
  }
}

/** Whether every path of the line is that of any process. */
function meansTheSame(command: Declaration, line: CommandLine, caller: Caller): boolean {
  const { log } = line.globals;
  if (log !== undefined && /^(journald|syslog):/.test(log)) return false;
  const directory = caller.workingDirectory();
  const paths = [
    ...pathsOf(GLOBAL_OPTIONS, line.globals),
    ...pathsOf(command.options, line.options),
    directory,
  ];
  return paths.every((path) =>
    path === STDERR || !OF_A_PROCESS.some((place) => isWithin(pathFrom(directory, path), place))
  );
}

function pathsOf(options: Readonly<Record<string, Option>>, values: object): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const { complete } = options[key] ?? {};
    const isPath = complete === "file" || complete === "directory";
    return isPath && typeof value === "string" ? [value.replace(/^file:/, "")] : [];
  });
}

/** What `serve --status` prints: the answer is that of the brain itself. */
async function printStatus(status: BrainStatus, { output }: Setting): Promise<number> {
  const { pid, since, done, cold, atWork, memory, frontId } = status;
  const lines = [
    `pid: ${pid}`,
    `since: ${since.toISOString()}`,
    `commands: ${done} carried out, ${cold} sent away, ${atWork} at work`,
    `memory: ${Math.round(memory / MB)} MB`,
    `build: ${frontId}`,
  ];
  output.print(lines.map((line) => `${line}\n`).join(""));
  await output.flush?.();
  return 0;
}

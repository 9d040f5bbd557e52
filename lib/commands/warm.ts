/** Which command lines a warm brain carries out; all others start Deno. */

import { findVerb, verbPlace } from "../cli/dispatch.ts";
import { type CommandLine, parse } from "../cli/parse.ts";
import { calledCommand, runLine } from "../cli/run.ts";
import type { Command, Declaration, Option, Setting } from "../cli/types.ts";
import { readLink } from "../base/files.ts";
import { isWithin, pathFrom } from "../base/paths.ts";
import type { BrainStatus, Prepared } from "../serve/request.ts";
import type { Caller } from "../base/caller.ts";
import { GLOBAL_OPTIONS } from "../cli/globals.ts";
import { SUPERVISE_OPTIONS } from "./supervise_options.ts";

const MB = 1e6;

type Values = CommandLine["options"];

/** More lines than that may take long to be read by whoever asks, and a brain that is to end would wait for that. */
const TAIL_MAX = 1000;

const always = () => true;
/** Without a look at a file, whose file system may never answer. */
const isPipe = (path: string) => readLink(path)?.startsWith("pipe:") === true;
/** What a container of an ordinary user leaves, a program in a user namespace clears away, which a front does not run. */
const asRoot = (_: Values, { uid }: Caller) => uid === 0;

/** What a front can do so far is enough for these, with such options and of such callers. */
const WARM: Readonly<Record<string, (options: Values, caller: Caller) => boolean>> = {
  create: always,
  delete: always,
  events: always,
  exec: (options) => options.detach === true || alone(options),
  features: always,
  inspect: always,
  kill: always,
  list: always,
  logs: ({ follow, tail }) => follow !== true && tail !== undefined && (tail as number) <= TAIL_MAX,
  "lxc attach": always,
  "lxc autostart": asRoot,
  "lxc cgroup": always,
  "lxc config": always,
  "lxc execute": (options, caller) => options.daemon === true && asRoot(options, caller),
  "lxc freeze": always,
  "lxc info": always,
  "lxc ls": (options) => options.nesting === undefined, // what is within may keep its reader waiting
  "lxc monitor": always,
  "lxc start": (options, caller) => options.foreground !== true && asRoot(options, caller),
  "lxc stop": asRoot,
  "lxc unfreeze": always,
  "lxc wait": always,
  pause: always,
  ps: always,
  resume: always,
  run: (options) => options.detach === true || alone(options),
  serve: (options) => options.status === true,
  settle: asRoot,
  start: always,
  state: always,
  stop: always,
  update: ({ resources }, { proc }) => resources !== "-" || isPipe(`${proc}/fd/0`),
  wait: always,
};

/** The verbs that may be carried out so. */
export const WARM_VERBS: readonly string[] = Object.keys(WARM);
/** The first words of their names. */
const FIRST_WORDS: ReadonlySet<string> = new Set(WARM_VERBS.map((name) => name.split(" ")[0]!));

/** Loads what the first command would have to wait for. What LXC's verbs need, their users wait for. */
export async function loadWarm(): Promise<void> {
  const usual = WARM_VERBS.filter((name) => !name.includes(" "));
  await Promise.all(usual.map((name) => commandOf([name])));
}

/** The command that a line is for, and the line as that has it. */
async function commandOf(
  words: readonly string[],
): Promise<readonly [command: Command, words: readonly string[]] | undefined> {
  const verb = findVerb(words);
  if (!FIRST_WORDS.has(verb)) return undefined;
  const { commandOf } = await import("./load.ts");
  const command = await commandOf(verb);
  return command && await calledCommand(command, words);
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
  const word = findVerb(words);
  if (word === "shim") return prepareShims(words.slice(verbPlace(words) + 1));
  const called = await commandOf(words);
  if (called === undefined) return undefined;
  const [command, args] = called;
  const { name: verb } = command;
  const isWarm = Object.hasOwn(WARM, verb) ? WARM[verb] : undefined;
  if (isWarm === undefined) return undefined;
  const line = lineOf(command, args);
  if (line === undefined || !isWarm(line.options, caller) || !meansTheSame(command, line, caller)) {
    return undefined;
  }
  if (line.options.trace !== undefined) return undefined; // it tells of a process of its own
  if (verb === "serve") return { run: (setting) => printStatus(status(), setting) };
  const afterwards = verb === "run" && !line.options.keep && {
    afterwards: [...words.slice(0, verbPlace(words)), "delete", "--force", line.args.id as string],
  };
  return {
    run: (setting) => runLine(command, () => line, setting),
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
  if (verb === "lxc wait") return options.timeout === undefined;
  return ["wait", "lxc monitor"].includes(verb) || (verb === "events" && options.stats !== true);
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

/** Command lines of every verb: each word is understood as declared, or refused in words. */

import { assert, assertEquals } from "@std/assert";
import { findVerb } from "../../lib/cli/dispatch.ts";
import { GLOBAL_OPTIONS, runtimeSettings } from "../../lib/cli/globals.ts";
import { type CommandLine, parse } from "../../lib/cli/parse.ts";
import { parseDuration } from "../../lib/cli/size.ts";
import { type Declaration, longName, type Options } from "../../lib/cli/types.ts";
import { ALL } from "../../lib/commands/all.ts";
import { resourcesOf } from "../../lib/commands/update.ts";
import { settingsV1 } from "../../lib/cgroup/v1/resources.ts";
import { settingsV2 } from "../../lib/cgroup/v2/resources.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { execProcess } from "../../lib/caller/exec_process.ts";
import { parseSignal } from "../../lib/spec/values/signals.ts";
import { template } from "../../lib/spec/template.ts";
import { checkId } from "../../lib/state/id.ts";
import { checkError } from "../support/fuzz/answer.ts";
import { mutateText } from "../support/fuzz/mutate_text.ts";
import { execPlansOf } from "../support/fuzz/plans.ts";
import type { Random } from "../support/fuzz/random.ts";
import type { Target } from "../support/fuzz/target.ts";

/** An input is the words as a JSON array. */
export function commandLine(): Target {
  const lines = [...ALL.flatMap(examplesOf), ...CLIENTS];
  return {
    name: "command_line",
    seeds: lines.map((line) => JSON.stringify(line.split(" "))),
    attempt: (input) => attempt(JSON.parse(input)),
    mutate: (random, input, others) =>
      JSON.stringify(mutateWords(random, JSON.parse(input), JSON.parse(random.pick(others)))),
  };
}

/** What conmon, containerd's shim and Docker send. */
const CLIENTS = [
  "--systemd-cgroup --root=/run/x --log-format=json --log /l create --bundle /b --pid-file /p id",
  "--root /r --log /l --log-format json exec --process /p --console-socket /s --detach id",
  "--root /r kill --all id 9",
  "--root /r delete --force id",
  "--root /r update --resources - id",
];

function examplesOf({ name, examples = [] }: Declaration): string[] {
  return [name, `${name} id`, ...examples.map(({ command }) => command.replace(/^.*?runts /, ""))];
}

const OPTIONS = [GLOBAL_OPTIONS, ...ALL.map(({ options }) => options)]
  .flatMap((options) => Object.entries(options as Options))
  .flatMap(([key, { short = "" }]) => [
    ...[`--${longName(key)}`, `-${longName(key)}`, `--${longName(key)}=`],
    ...[...short].map((letter) => `-${letter}`),
  ]);
const VALUES = [
  ...["--", "-", "", "-1", "0", "1", "64", "99999999999999999999", "1.5g", "1h", "true", "no"],
  ...["KILL", "SIGRTMIN+3", "0:0", "1000:4294967295", "CAP_KILL", "A=b", "..", "a/b", "[", "\0"],
];

function mutateWords(random: Random, words: string[], other: string[]): string[] {
  do {
    const [at, to] = [random.below(words.length + 1), random.below(words.length + 1)];
    const put = (...more: string[]) => words.splice(at, random.below(2), ...more);
    switch (random.below(8)) {
      case 0:
        words.splice(Math.min(at, to), 1);
        break;
      case 1:
        put(...words.slice(Math.min(at, to), Math.max(at, to)));
        break;
      case 2:
        put(...other.slice(random.below(other.length + 1)));
        break;
      case 3:
        put(mutateText(random, words[at] ?? ""));
        break;
      case 4:
        put(random.pick(VALUES));
        break;
      case 5:
        put(random.pick(ALL).name);
        break;
      default:
        put(random.pick(OPTIONS) + (random.oneIn(3) ? random.pick(VALUES) : ""));
    }
  } while (random.oneIn(2));
  return words.slice(0, 40);
}

const RUNTIME = new Runtime();

async function attempt(words: string[]): Promise<string> {
  const verb = findVerb(words);
  const command = ALL.find(({ name }) => name === verb) ?? ALL.find(({ name }) => name === "help")!;
  const line = parse(command, words);
  const shapes = Object.keys({ ...line.globals, ...line.options }).sort().join();
  if (line.problem !== undefined) return `${command.name}: ${checkError(line.problem)}`;
  checkValues(GLOBAL_OPTIONS, line.globals);
  checkValues(command.options, line.options);
  checkArguments(command, line, words);
  try {
    const { caller } = RUNTIME;
    assert(runtimeSettings(caller, line.globals).root?.startsWith("/") ?? true);
    await followed(command, line);
  } catch (error) {
    return `${command.name} ${shapes}: ${checkError(error)}`;
  }
  return `${command.name} ${shapes}`;
}

/** Only declared options, each with a value of its type. */
function checkValues(options: Options, values: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(values)) {
    const option = options[key];
    assert(option !== undefined && Object.hasOwn(options, key), `no option ${key}`);
    const one = option.repeat ? (value as unknown[])[0] : value;
    assertEquals(Array.isArray(value), option.repeat === true, key);
    const type = option.value === undefined ? "boolean" : option.integer ? "number" : "string";
    assertEquals(typeof one, type, key);
    if (option.integer) assert(Number.isSafeInteger(one) && (one as number) >= 0, `${key}: ${one}`);
    if (option.choices) assert(option.choices.includes(one as string), `${key}: ${one}`);
  }
}

/** All that must be there is; what is passed on is passed on as it came. */
function checkArguments(command: Declaration, line: CommandLine, words: string[]): void {
  for (const [key, { optional, rest, choices }] of Object.entries(command.arguments)) {
    const value = line.args[key];
    if (rest) assertEquals(value, words.slice(words.length - (value as string[]).length));
    else if (value === undefined) assert(optional, key);
    else assert(words.includes(value as string) && (choices?.includes(value as string) ?? true));
  }
}

/** What the verb makes of it before it looks at the host. */
async function followed(
  { name }: Declaration,
  { args, options }: CommandLine,
): Promise<void> {
  if (name === "update" && options.resources === undefined) {
    const resources = resourcesOf(options);
    settingsV1(resources, "");
    settingsV2(resources, "", () => undefined);
  } else if (name === "events") parseDuration("--interval", String(options.interval ?? "5s"));
  else if (name === "kill" && args.signal !== undefined) parseSignal(String(args.signal));
  else if (name === "exec" && options.process === undefined) {
    const { cap, additionalGids: _, ...rest } = options;
    const given = {
      id: "box",
      ...args,
      ...rest,
      ...(cap !== undefined && { caps: cap as string[] }),
    };
    execPlansOf(template(), await execProcess(RUNTIME, template(), given));
  }
  if (typeof args.id === "string") checkId(args.id);
}

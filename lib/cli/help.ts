/** The text of `--help`, from the command table. */

import { GLOBAL_OPTIONS } from "./globals.ts";
import { type Argument, type Declaration, longName, type Option, type Options } from "./types.ts";

const WIDTH = 80;
/** Where descriptions begin at the latest. */
const COLUMN = 30;

/** Headings of the groups of commands, in the order of the overview. */
export const GROUPS: readonly [group: Declaration["group"], title: string][] = [
  ["lifecycle", "Life of a container"],
  ["supervision", "Containers with a monitor"],
  ["inspect", "What is there"],
  ["live", "Running containers"],
  ["checkpoint", "Checkpoints"],
  ["configuration", "Configuration"],
  ["system", "System containers"],
  ["help", "About runts"],
];

/** `runts exec [OPTIONS] CONTAINER [COMMAND...]` */
export function usageLine(command: Declaration): string {
  const words = Object.values(command.arguments).map(argumentUsage);
  const options = visible(command.options).length > 0 ? ["[OPTIONS]"] : [];
  return ["runts", command.name, ...options, ...words].join(" ");
}

/** `CONTAINER`, `[SIGNAL]`, `[COMMAND...]` */
export function argumentUsage(argument: Argument): string {
  const word = argument.rest ? `${argument.value}...` : argument.value;
  return argument.optional ? `[${word}]` : word;
}

/** The options that help shows. */
export function visible(options: Options): [key: string, option: Option][] {
  return Object.entries(options).filter(([, option]) => !option.hidden);
}

/** `-b, --bundle DIR`; with `indent`, options without a letter are set below the others. */
export function optionUsage(key: string, option: Option, indent = true): string {
  const letter = option.short?.[0];
  const short = letter ? `-${letter}, ` : indent ? "    " : "";
  const gap = option.alone === undefined ? [" ", ""] : ["[=", "]"];
  const value = option.value === undefined ? "" : gap.join(option.value);
  return `${short}--${longName(key)}${value}`;
}

/** What an option does, with the values that it takes. */
export function optionText({ description, choices, repeat }: Option): string {
  const told = !choices || choices.every((choice) => description.includes(choice));
  const text = told ? description : `${description}: ${choices.join(", ")}`;
  return repeat ? `${text}; may be repeated` : text;
}

/** The help of one command; `verbs` are those below it. */
export function commandHelp(command: Declaration, verbs: readonly Declaration[] = []): string {
  const { summary, description = [], examples = [] } = command;
  const sections = [
    `Usage: ${usageLine(command)}`,
    [`${capital(summary)}.`, ...description].map((text) => wrap(text, 0)).join("\n\n"),
    section("Arguments", Object.values(command.arguments).map(argumentRow)),
    section("Verbs", verbs.map(({ name, summary }) => [lastWord(name), summary])),
    section("Options", visible(command.options).map(optionRow)),
    examples.length === 0
      ? ""
      : `Examples:\n${examples.map(({ text, command }) => `  # ${text}\n  ${command}`).join("\n")}`,
    'Global options go before or after the command: see "runts help".',
  ];
  return sections.filter((text) => text !== "").join("\n\n") + "\n";
}

/** Commands, each with those below it behind it. */
export async function withVerbs(commands: readonly Declaration[]): Promise<Declaration[]> {
  const families = commands.map(async (one) => [one, ...await one.verbs?.() ?? []]);
  return (await Promise.all(families)).flat();
}

/** The help of runts as a whole. */
export function overview(commands: readonly Declaration[]): string {
  const rows = (group: Declaration["group"]) =>
    commands.filter((one) => one.group === group)
      .map(({ name, summary }): [string, string] => [name, summary]);
  const sections = [
    "Usage: runts [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]",
    wrap("Creates and runs containers as the OCI runtime specification says.", 0),
    ...GROUPS.map(([group, title]) => section(title, rows(group))),
    section("Global options", visible(GLOBAL_OPTIONS).map(optionRow)),
    'For one command: "runts help COMMAND" or "runts COMMAND --help".',
  ];
  return sections.filter((text) => text !== "").join("\n\n") + "\n";
}

/** The word that a command has below the one that it belongs to: `check` of `lxc check`. */
function lastWord(name: string): string {
  return name.slice(name.indexOf(" ") + 1);
}

function argumentRow(argument: Argument): [string, string] {
  const { description, choices } = argument;
  return [argumentUsage(argument), choices ? `${description}: ${choices.join(", ")}` : description];
}

function optionRow([key, option]: [string, Option]): [string, string] {
  return [optionUsage(key, option), optionText(option)];
}

/** A heading with rows in two columns; nothing without rows. */
function section(title: string, rows: readonly [string, string][]): string {
  if (rows.length === 0) return "";
  const longest = Math.max(...rows.map(([left]) => left.length));
  const column = Math.min(longest + 4, COLUMN);
  const lines = rows.map(([left, right]) => {
    const start = `  ${left}`;
    const text = wrap(right, column);
    return start.length + 2 > column
      ? `${start}\n${" ".repeat(column)}${text}`
      : start.padEnd(column) + text;
  });
  return `${title}:\n${lines.join("\n")}`;
}

/** Breaks a text into lines; all but the first are indented. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

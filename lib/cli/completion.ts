/** Scripts for the completion of commands in shells, from the command table. */

import { signalName } from "../spec/signals.ts";
import { bashScript } from "./completion_bash.ts";
import { fishScript } from "./completion_fish.ts";
import { zshScript } from "./completion_zsh.ts";
import { GLOBAL_OPTIONS, LATE_OPTIONS } from "./globals.ts";
import { visible } from "./help.ts";
import {
  type Argument,
  type Completion,
  type Declaration,
  longName,
  type Option,
  type Options,
} from "./types.ts";

/** What a shell is to offer: one of these words, or things of a kind. */
export type Offer = readonly string[] | Exclude<Completion, "signal" | "command">;

export interface OptionOffer {
  /** With dashes: `--bundle`. */
  readonly long: string;
  /** With a dash each: `-b`. */
  readonly shorts: readonly string[];
  /** What its value may be; absent for a flag. */
  readonly value?: Offer;
  readonly repeat: boolean;
  readonly description: string;
}

export interface ArgumentOffer {
  readonly name: string;
  readonly offer: Offer;
  readonly rest: Argument["rest"];
}

export interface CommandOffer {
  readonly name: string;
  readonly summary: string;
  /** Options of its own. */
  readonly options: readonly OptionOffer[];
  /** Global options that it does not hide. */
  readonly globals: readonly OptionOffer[];
  readonly arguments: readonly ArgumentOffer[];
}

/** What the scripts are made from. */
export interface Offers {
  /** The options before the verb. */
  readonly globals: readonly OptionOffer[];
  /** Those of them that may stand after it. */
  readonly late: readonly OptionOffer[];
  readonly commands: readonly CommandOffer[];
}

/** The script for a shell. */
export function completionScript(
  shell: "bash" | "zsh" | "fish",
  commands: readonly Declaration[],
): string {
  const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return script(offersOf(commands));
}

/** @internal Exported for tests. */
export function offersOf(commands: readonly Declaration[]): Offers {
  const names = commands.map(({ name }) => name);
  const optionOffers = (options: Options) =>
    visible(options).map(([key, option]) => optionOffer(key, option, names));
  const late = optionOffers(LATE_OPTIONS);
  return {
    globals: optionOffers(GLOBAL_OPTIONS),
    late,
    commands: commands.map((command) => ({
      name: command.name,
      summary: command.summary,
      options: optionOffers(command.options),
      globals: late.filter(({ long }) => !hasOption(command, long)),
      arguments: Object.values(command.arguments).map((argument) => ({
        name: argument.value,
        offer: offerOf(argument, names),
        rest: argument.rest,
      })),
    })),
  };
}

function hasOption(command: Declaration, long: string): boolean {
  return Object.keys(command.options).some((key) => `--${longName(key)}` === long);
}

function optionOffer(key: string, option: Option, commands: string[]): OptionOffer {
  return {
    long: `--${longName(key)}`,
    shorts: (option.short?.match(/[a-z]/gi) ?? []).map((letter) => `-${letter}`),
    ...(option.value !== undefined && { value: offerOf(option, commands) }),
    repeat: option.repeat === true,
    description: option.description,
  };
}

function offerOf({ choices, complete }: Option | Argument, commands: string[]): Offer {
  if (complete === "signal") return Array.from({ length: 31 }, (_, i) => signalName(i + 1));
  if (complete === "command") return commands;
  return choices ?? complete ?? "none";
}

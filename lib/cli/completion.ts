/** Scripts for the completion of commands in shells, from the command table. */

import { signalName } from "../spec/values/signals.ts";
import { bashScript } from "./completion_bash.ts";
import { fishScript } from "./completion_fish.ts";
import { zshScript } from "./completion_zsh.ts";
import type { Offer, Offers, OptionOffer } from "./completion_offers.ts";
import { GLOBAL_OPTIONS, LATE_OPTIONS } from "./globals.ts";
import { visible, withVerbs } from "./help.ts";
import { type Argument, type Declaration, longName, type Option, type Options } from "./types.ts";

/** The script for a shell. */
export async function completionScript(
  shell: "bash" | "zsh" | "fish",
  commands: readonly Declaration[],
): Promise<string> {
  const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
  return script(offersOf(await withVerbs(commands)));
}

function offersOf(commands: readonly Declaration[]): Offers {
  const names = commands.map(({ name }) => name).filter((name) => !name.includes(" "));
  const optionOffers = (options: Options) =>
    visible(options).map(([key, option]) => optionOffer(key, option, names));
  const late = optionOffers(LATE_OPTIONS);
  return {
    globals: optionOffers(GLOBAL_OPTIONS),
    late,
    families: commands.flatMap(({ name, verbs }) => verbs === undefined ? [] : name),
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
    ...(option.value !== undefined && option.alone === undefined && {
      value: offerOf(option, commands),
    }),
    repeat: option.repeat === true,
    description: option.description,
  };
}

function offerOf({ choices, complete }: Option | Argument, commands: string[]): Offer {
  if (complete === "signal") return Array.from({ length: 31 }, (_, i) => signalName(i + 1));
  if (complete === "command") return commands;
  return choices ?? complete ?? "none";
}

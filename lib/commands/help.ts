import { commandHelp, overview } from "../cli/help.ts";
import { nearest } from "../base/nearest.ts";
import { defineCommand } from "../cli/types.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { HELP } from "./about.ts";
import { ALL } from "./all.ts";

export const command = defineCommand({
  ...HELP,
  async run({ args, print }) {
    const [word, verb] = args.command.filter((one) => !one.startsWith("-"));
    if (word === undefined) return print(overview(ALL));
    const found = ALL.find(({ name }) => name === word);
    if (found === undefined) throw unknownCommand(word);
    const verbs = await found.verbs?.();
    const below = verbs?.find(({ name }) => name === `${word} ${verb}`);
    print(below === undefined ? commandHelp(found, verbs) : commandHelp(below));
  },
});

/** Also what becomes of `runts WORD` when no command is called that. */
function unknownCommand(word: string): RuntsError {
  const near = nearest(word, ALL.map(({ name }) => name));
  return new RuntsError(`unknown command ${quote(word)}`, {
    hint: near === undefined ? 'see "runts help"' : `did you mean ${quote(near)}?`,
  });
}

import { defineCommand } from "../cli/types.ts";
import { LXC_VERBS, lxcCommand, lxcDeclarations } from "./lxc_verbs.ts";

export const command = defineCommand({
  name: "lxc",
  group: "system",
  summary: "system containers with the configuration files of LXC",
  description: [
    "The verbs take the options of LXC's commands of the same names and print what those print. " +
    "Links named lxc-VERB run them, too.",
  ],
  arguments: {
    verb: { value: "VERB", description: "what to do", choices: LXC_VERBS },
    rest: { value: "ARGUMENT", description: "of the verb", optional: true, rest: "words" },
  },
  options: {},
  examples: [
    { text: "all that is wrong with a container's file", command: "runts lxc check -n web" },
    { text: "the options of a verb", command: "runts lxc check --help" },
  ],
  sub: lxcCommand,
  verbs: lxcDeclarations,
  run: () => Promise.resolve(),
});

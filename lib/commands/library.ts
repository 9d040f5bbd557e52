import { printBytes } from "../cli/output.ts";
import { defineCommand } from "../cli/types.ts";
import { helperLibrary } from "../container/library.ts";

export const command = defineCommand({
  name: "library",
  group: "help",
  summary: "print the C half of runts, which scripts load",
  description: [
    "Scripts that use runts as a library ask for it by themselves. It is that of one version of " +
    "runts; with another VERSION nothing is printed.",
  ],
  arguments: {
    version: {
      value: "VERSION",
      description: "the version that the script is made for",
      optional: true,
      complete: "none",
    },
  },
  options: {},
  examples: [{ text: "for a script elsewhere", command: "runts library > librunts.so" }],
  async run({ args }) {
    printBytes("stdout", await helperLibrary(args.version));
  },
});

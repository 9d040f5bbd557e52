import { completionScript } from "../cli/completion.ts";
import { defineCommand } from "../cli/types.ts";
import { COMPLETION } from "./about.ts";
import { ALL } from "./all.ts";

export const command = defineCommand({
  ...COMPLETION,
  async run({ args, print }) {
    print(await completionScript(args.shell, ALL));
  },
});

import { completionScript } from "../cli/completion.ts";
import { defineCommand } from "../cli/types.ts";
import { COMPLETION } from "./about.ts";
import { ALL } from "./all.ts";

export const command = defineCommand({
  ...COMPLETION,
  // deno-lint-ignore require-await
  async run({ args, print }) {
    print(completionScript(args.shell, ALL));
  },
});

import { withVerbs } from "../cli/help.ts";
import { manPage } from "../cli/man.ts";
import { defineCommand } from "../cli/types.ts";
import { MAN } from "./about.ts";
import { ALL } from "./all.ts";

export const command = defineCommand({
  ...MAN,
  async run({ print }) {
    print(manPage(await withVerbs(ALL)));
  },
});

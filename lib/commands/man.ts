import { manPage } from "../cli/man.ts";
import { defineCommand } from "../cli/types.ts";
import { MAN } from "./about.ts";
import { ALL } from "./all.ts";

export const command = defineCommand({
  ...MAN,
  // deno-lint-ignore require-await
  async run({ print }) {
    print(manPage(ALL));
  },
});

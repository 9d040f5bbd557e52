import { defineCommand } from "../cli/types.ts";
import { freezeSystem } from "../lxc/life/freeze.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc freeze",
  group: "system",
  summary: "freeze all processes of a container",
  arguments: { name: LXC_NAME },
  options: LXC_NAMED,
  async run(context) {
    if (versionWanted(context)) return;
    const { runtime, args } = context;
    await freezeSystem(runtime, systemIdOf(runtime, choiceOf(context, args.name)), true);
  },
});

import { defineCommand } from "../cli/types.ts";
import { destroyContainer } from "../lxc/store/destroy.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc destroy",
  group: "system",
  summary: "remove a container and all that was made for it",
  description: [
    "One that runs, one that has snapshots and one whose root filesystem others use are left alone, " +
    "and so is one in whose files something is mounted.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    force: { short: "f", description: "kill it if it runs" },
    snapshots: { short: "s", description: "with its snapshots" },
  },
  examples: [{ text: "whatever it does", command: "runts lxc destroy -n web -f" }],
  async run(context) {
    if (versionWanted(context)) return;
    const { runtime, args, options } = context;
    await destroyContainer(runtime, { ...choiceOf(context, args.name), ...options });
  },
});

import { defineCommand } from "../cli/types.ts";
import { toStderr } from "../cli/log.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { openContainer, refuse } from "../lxc/container.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc info",
  group: "system",
  summary: "print settings of a container",
  description: [
    "Prints KEY = VALUE for each key that is asked for, as it holds after all files and defaults; of a " +
    "key that may be repeated all values, a line each.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    config: { short: "c", value: "KEY", repeat: true, description: "a key" },
    noHumanize: { short: "H", description: "print the bare value of a single key" },
  },
  examples: [{ text: "the network devices", command: "runts lxc info -n web -c lxc.net" }],
  async run(context) {
    const { runtime, args, options: { config: keys = [], noHumanize }, print } = context;
    if (versionWanted(context)) return;
    const { config, findings } = await openContainer(runtime, choiceOf(context, args.name));
    refuse(findings);
    if (keys.length === 0) throw new RuntsError("no key is named", { hint: "use -c KEY" });
    for (const key of keys) {
      const value = config.show(key);
      // As LXC has it, that is no failure.
      if (value === undefined) toStderr("warning", `${quote(key)} is no key`);
      else if (noHumanize && keys.length === 1) print(`${value}\n`);
      else print(`${key} =${value === "" ? "" : ` ${value}`}\n`);
    }
  },
});

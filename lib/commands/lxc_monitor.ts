import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { lxcPath } from "../lxc/place.ts";
import { systemEvents } from "../lxc/life/events.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc monitor",
  group: "system",
  summary: "tell what becomes of containers",
  description: ["Tells of new states and of the ends of inits, until it is interrupted."],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    name: { short: "n", value: "REGEX", description: "the containers (default: all)" },
    quit: { short: "Q", description: "of LXC: there is no daemon to end", hidden: true },
  },
  examples: [{ text: "of all", command: "runts lxc monitor" }],
  async run(context) {
    const { runtime, args, options, print, signal } = context;
    if (versionWanted(context) || options.quit) return;
    const { name = ".*", lxcpath } = choiceOf(context, args.name);
    const pattern = regex(name);
    for await (const event of systemEvents(runtime, lxcPath(runtime, lxcpath), signal)) {
      if (!pattern.test(event.name)) continue;
      if ("state" in event) print(`'${event.name}' changed state to [${event.state}]\n`);
      else print(`'${event.name}' exited with status [${event.exit}]\n`);
    }
  },
});

/** Of the whole name. */
function regex(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (cause) {
    throw new RuntsError(`regular expression ${JSON.stringify(text)}`, { cause });
  }
}
